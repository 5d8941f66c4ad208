import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fill, levelIn, MAX_BYTES, planOf, pulsePayload } from '../../../../firmware-bridge/drivers/mqtt-io/codec.ts'
import { presetNames } from '../../../../firmware-bridge/drivers/mqtt-io/presets.ts'
import { settings } from '../../../../firmware-bridge/drivers/mqtt-io/schema.ts'

const text = (s: string) => new TextEncoder().encode(s)
const plan = (preset: string, base: string, input: string, output: string) =>
  planOf(
    settings.parse({
      driver: 'mqtt-io',
      link: 'm',
      preset,
      base,
      inputs: { loop: { channel: input } },
      outputs: { relay: { channel: output } },
    }),
  )

describe('presets say what the firmwares’ documents say', () => {
  test('Tasmota', () => {
    const { inputs, outputs, availability } = plan('tasmota', 'lane1', '1', '2')
    expect(outputs.get('relay')).toEqual({
      topic: 'cmnd/lane1/POWER2',
      on: 'ON',
      off: 'OFF',
      state: { topic: 'stat/lane1/POWER2', on: 'ON', off: 'OFF' },
      pulse: { topic: 'cmnd/lane1/Backlog', payload: 'PulseTime2 {ds}; POWER2 ON' },
    })
    expect(pulsePayload(outputs.get('relay')!.pulse!.payload, 500)).toBe('PulseTime2 5; POWER2 ON')
    expect(levelIn(text('{"Time":"2026-01-01T00:00:00","Switch1":"OFF"}'), inputs.get('loop')!)).toBe(false)
    expect(levelIn(text('{"Time":"2026-01-01T00:00:00","Switch1":"ON","Switch2":"OFF"}'), inputs.get('loop')!)).toBe(true)
    expect(levelIn(text('Online'), availability!)).toBe(true)
    expect(availability!.topic).toBe('tele/lane1/LWT')
  })

  test('Tasmota with a single relay has no number', () => {
    expect(plan('tasmota', 'lane1', '1', '').outputs.get('relay')!.topic).toBe('cmnd/lane1/POWER')
  })

  test('Shelly', () => {
    const { inputs, outputs, availability, query } = plan('shelly', 'shellypro4pm-aa', '0', '1')
    const relay = outputs.get('relay')!
    expect([relay.topic, relay.on, relay.off]).toEqual(['shellypro4pm-aa/command/switch:1', 'on', 'off'])
    expect(JSON.parse(pulsePayload(relay.pulse!.payload, 500))).toMatchObject({
      method: 'Switch.Set',
      params: { id: 1, on: true, toggle_after: 0.5 },
    })
    expect(levelIn(text('{"id":1,"source":"MQTT","output":true,"apower":0}'), relay.state!)).toBe(true)
    expect(levelIn(text('{"id":0,"state":false}'), inputs.get('loop')!)).toBe(false)
    expect([availability!.topic, levelIn(text('true'), availability!)]).toEqual(['shellypro4pm-aa/online', true])
    expect(query).toEqual({ topic: 'shellypro4pm-aa/command', payload: 'status_update' })
  })

  test('ESPHome', () => {
    const { inputs, outputs, availability } = plan('esphome', 'gate', 'loop', 'open')
    expect(outputs.get('relay')!.topic).toBe('gate/switch/open/command')
    expect(outputs.get('relay')!.pulse).toBeUndefined()
    expect(inputs.get('loop')).toEqual({ topic: 'gate/binary_sensor/loop/state', on: 'ON', off: 'OFF' })
    expect(levelIn(text('offline'), availability!)).toBe(false)
  })

  test('Zigbee2MQTT, whose availability is JSON or, in older ones, plain', () => {
    const { inputs, outputs, availability } = plan('zigbee2mqtt', 'door', 'contact', 'state_l1')
    expect([outputs.get('relay')!.topic, outputs.get('relay')!.on]).toEqual(['zigbee2mqtt/door/set', '{"state_l1":"ON"}'])
    expect(levelIn(text('{"state":"ON","contact":true}'), inputs.get('loop')!)).toBe(true)
    expect(levelIn(text('{"state":"ON"}'), inputs.get('loop')!)).toBe('absent')
    expect(levelIn(text('{"state":"online"}'), availability!)).toBe(true)
    expect(levelIn(text('offline'), availability!)).toBe(false)
  })

  test('no preset leaves a template unfilled, except the pulse time', () => {
    for (const name of presetNames) {
      const filled = JSON.stringify([...plan(name, 'b', 'i', '7').outputs.values(), ...plan(name, 'b', 'i', '7').inputs.values()])
      expect(filled).not.toMatch(/\{(base|channel)\}/)
    }
  })

  test('what a point says itself goes before its preset', () => {
    const own = planOf(
      settings.parse({
        driver: 'mqtt-io',
        link: 'm',
        preset: 'esphome',
        base: 'g',
        inputs: { loop: { channel: 'x', on: 'OFF', off: 'ON' } },
      }),
    )
    expect(own.inputs.get('loop')).toEqual({ topic: 'g/binary_sensor/x/state', on: 'OFF', off: 'ON' })
  })
})

describe('levels', () => {
  const source = { topic: 't', on: '1', off: '0' }
  test.each([
    ['1', true],
    ['0', false],
    [' 1\n', true],
    ['', 'unclear'],
    ['unavailable', 'unclear'],
    ['10', 'unclear'],
  ])('text %j is %s', (payload, expected) => {
    expect(levelIn(text(payload), source)).toBe(expected)
  })

  test.each([
    ['{"a":{"b":1}}', true],
    ['{"a":{"b":"0"}}', false],
    ['{"a":{"b":null}}', 'unclear'],
    ['{"a":{"b":{"c":1}}}', 'unclear'],
    ['{"a":{}}', 'absent'],
    ['{"a":7}', 'absent'],
    ['[]', 'absent'],
    ['{"a":{"b":', 'unclear'],
    ['1', true],
  ])('JSON %s is %s', (payload, expected) => {
    expect(levelIn(text(payload), { ...source, pointer: '/a/b' })).toBe(expected)
  })

  test('a huge message is not parsed', () => {
    expect(levelIn(text(`{"a":{"b":1},"x":"${'y'.repeat(MAX_BYTES)}"}`), { ...source, pointer: '/a/b' })).toBe('unclear')
  })

  test('own properties only: __proto__ and constructor are absent', () => {
    for (const pointer of ['/__proto__', '/constructor/name', '/toString'])
      expect(levelIn(text('{}'), { ...source, pointer })).toBe('absent')
  })

  test('anything at all is survived', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(text)), fc.constantFrom(undefined, '/a', '/a/0'), (payload, pointer) => {
        expect([true, false, 'absent', 'unclear']).toContain(levelIn(payload, { ...source, pointer }))
      }),
    )
  })
})

test('templates fill only what they know, so JSON stays JSON', () => {
  expect(fill('{"id":{channel},"x":{y}}', { channel: '3' })).toBe('{"id":3,"x":{y}}')
  expect(fill('{constructor}{toString}', {})).toBe('{constructor}{toString}')
  expect(pulsePayload('{ms} {s} {ds}', 450)).toBe('450 0.45 5')
})

test('settings: what fits and what does not', () => {
  const ok = { driver: 'mqtt-io', link: 'm', stale_ms: 1_000, inputs: { a: { topic: 't', on: '1', off: '0' } } }
  expect(settings.safeParse(ok).success).toBe(true)
  const bad: [object, RegExp][] = [
    [{ stale_ms: undefined }, /availability or stale_ms/],
    [{ inputs: { a: { topic: 't', on: '1' } } }, /give off/],
    [{ inputs: { a: { topic: 't', on: '1', off: '1' } } }, /must differ/],
    [{ inputs: { a: { channel: '1' } } }, /needs a preset/],
    [{ inputs: { a: { topic: 't/#', on: '1', off: '0' } } }, /no \+ or #/],
    [{ inputs: { A: { topic: 't', on: '1', off: '0' } } }, /lower-case/],
    [{ preset: 'tasmota' }, /base topic/],
    [{ preset: 'sonoff', base: 'x' }, /preset/],
    [{ confirm_ms: 5 }, /100/],
    [{ retain: true }, /retain/],
  ]
  for (const [change, message] of bad) {
    const result = settings.safeParse({ ...ok, ...change })
    expect(result.success ? 'accepted' : result.error.message, JSON.stringify(change)).toMatch(message)
  }
})
