/**
 * Topics and payloads of known firmwares, as data. `{base}` is the device's topic, `{channel}` the point's own name or number.
 * Sources: tasmota/docs MQTT.md and Commands.md; Shelly Gen2 API docs (Mqtt, Switch); esphome-docs mqtt; zigbee2mqtt.io
 * "MQTT topics and messages".
 */
import type { LevelSource, Query, Switched } from './codec.ts'

export interface Preset {
  readonly title: string
  readonly input: LevelSource
  readonly output: Switched
  /** `on` is online. */
  readonly availability?: LevelSource
  readonly query?: Query
}

export const PRESETS = {
  /** On the device: SwitchMode 15 (report only), TelePeriod 10 (reports are what keeps inputs fresh), PowerOnState 0, PowerRetain 0. */
  tasmota: {
    title: 'Tasmota',
    input: { topic: 'tele/{base}/SENSOR', pointer: '/Switch{channel}', on: 'ON', off: 'OFF' },
    output: {
      topic: 'cmnd/{base}/POWER{channel}',
      on: 'ON',
      off: 'OFF',
      state: { topic: 'stat/{base}/POWER{channel}', on: 'ON', off: 'OFF' },
      pulse: { topic: 'cmnd/{base}/Backlog', payload: 'PulseTime{channel} {ds}; POWER{channel} ON' },
    },
    availability: { topic: 'tele/{base}/LWT', on: 'Online', off: 'Offline' },
  },
  /** On the device: MQTT with status_ntf, enable_control and rpc; initial_state off; auto_off as a second line of defence. */
  shelly: {
    title: 'Shelly Gen2 and later',
    input: { topic: '{base}/status/input:{channel}', pointer: '/state', on: 'true', off: 'false' },
    output: {
      topic: '{base}/command/switch:{channel}',
      on: 'on',
      off: 'off',
      state: { topic: '{base}/status/switch:{channel}', pointer: '/output', on: 'true', off: 'false' },
      pulse: {
        topic: '{base}/rpc',
        payload: '{"id":1,"src":"luong","method":"Switch.Set","params":{"id":{channel},"on":true,"toggle_after":{s}}}',
      },
    },
    availability: { topic: '{base}/online', on: 'true', off: 'false' },
    query: { topic: '{base}/command', payload: 'status_update' },
  },
  /** On the device: reboot_timeout 0s. It reports only changes, so accept_retained is usually wanted. */
  esphome: {
    title: 'ESPHome',
    input: { topic: '{base}/binary_sensor/{channel}/state', on: 'ON', off: 'OFF' },
    output: {
      topic: '{base}/switch/{channel}/command',
      on: 'ON',
      off: 'OFF',
      state: { topic: '{base}/switch/{channel}/state', on: 'ON', off: 'OFF' },
    },
    availability: { topic: '{base}/status', on: 'online', off: 'offline' },
  },
  /** `channel` is the property: contact, occupancy, state, state_l1. Battery devices are not for safety. */
  zigbee2mqtt: {
    title: 'Zigbee2MQTT',
    input: { topic: 'zigbee2mqtt/{base}', pointer: '/{channel}', on: 'true', off: 'false' },
    output: {
      topic: 'zigbee2mqtt/{base}/set',
      on: '{"{channel}":"ON"}',
      off: '{"{channel}":"OFF"}',
      state: { topic: 'zigbee2mqtt/{base}', pointer: '/{channel}', on: 'ON', off: 'OFF' },
    },
    availability: { topic: 'zigbee2mqtt/{base}/availability', pointer: '/state', on: 'online', off: 'offline' },
  },
} as const satisfies Record<string, Preset>

export type PresetName = keyof typeof PRESETS
export const presetNames = Object.keys(PRESETS) as [PresetName, ...PresetName[]]
