/** Users of the embedded broker of whom the site knows only a hash: made, used, renewed and probed with the real commands. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type MqttClient } from 'mqtt'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { siteTree, type Tree } from '../harness/chaos-site.ts'
import { freePort } from '../harness/mosquitto.ts'
import { luong, luongWith, MAIN, type Program, startLuong, startProgram } from '../harness/program.ts'

const PASSWORD = 'a long enough mật khẩu 7Qx'
const undo: (() => unknown)[] = []
let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'luong-hashed-'))
  undo.push(() => rm(dir, { recursive: true, force: true }))
})
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const hashOf = async (password: string) => (await luongWith({ input: `${password}\n` }, 'secret', 'hash')).out.trim()

async function site(users: Tree[]): Promise<{ file: string; port: number }> {
  const port = await freePort()
  const tree = siteTree({
    dir,
    id: 'hashed',
    lanes: ['a'],
    bus: { kind: 'tcp', host: '127.0.0.1', port: await freePort() },
    broker: { embedded: { port, users } },
  })
  const file = join(dir, 'site.yaml')
  await writeFile(file, stringify(tree))
  return { file, port }
}

async function run(file: string): Promise<Program> {
  const program = startLuong('run', file, '--json')
  undo.push(() => program.kill())
  await program.says(/"msg":"ready"/)
  return program
}

function enter(port: number, username: string, password: string): Promise<MqttClient> {
  const client = connect(`mqtt://127.0.0.1:${port}`, { username, password, reconnectPeriod: 0 })
  undo.push(() => client.endAsync(true))
  return new Promise((done, fail) => client.once('connect', () => done(client)).once('error', fail))
}

it('`luong secret hash` takes a password from standard input or, unseen, from a terminal; never as an argument', async () => {
  const one = await luongWith({ input: `${PASSWORD}\r\n` }, 'secret', 'hash')
  expect(one).toMatchObject({ code: 0, err: '' })
  expect(one.out).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}\n$/)
  const json = await luongWith({ input: 'short' }, 'secret', 'hash', '--json')
  expect(JSON.parse(json.out)).toEqual({ password_hash: expect.stringMatching(/^\$scrypt\$/) })
  expect(json.err).toMatch(/This password is short/)
  const argument = await luong('secret', 'hash', PASSWORD)
  expect(argument.code).toBe(2)
  expect(`${argument.out}${argument.err}`).not.toContain(PASSWORD)
  const nothing = await luong('secret', 'hash')
  expect(nothing).toMatchObject({ code: 2, out: '' })
  expect(nothing.err).toMatch(/no password was given/)

  const terminal = (typed: readonly string[]) => {
    const program = startProgram('script', ['-qfec', `${process.execPath} ${MAIN} secret hash`, '/dev/null'], {}, null)
    undo.push(() => program.kill())
    return typed
      .reduce(
        (before, text, n) =>
          before.then(async () => {
            await program.says(n === 0 ? /Password: / : /Again: /)
            program.child.stdin?.write(text)
          }),
        Promise.resolve(),
      )
      .then(async () => ({ code: await program.exit, said: program.out() }))
  }
  const seen = await terminal([`x\u0015wrong${'\u007f'.repeat(5)}${PASSWORD}\r`, `${PASSWORD}\r`])
  expect(seen.code).toBe(0)
  expect(seen.said).toMatch(/Password: \s+Again: \s+\$scrypt\$ln=15/)
  expect(seen.said).not.toContain(PASSWORD.slice(0, 4))
  const differ = await terminal([`${PASSWORD}\r`, 'another one altogether\r'])
  expect(differ.code).toBe(2)
  expect(differ.said).toMatch(/the two passwords differ/)
})

it('the site runs, who knows the password connects, a reload takes another hash, and the secret is nowhere on the box', async () => {
  await writeFile(join(dir, 'camera-hash'), `${await hashOf('camera 5ecret 1')}\n`)
  const centre = { name: 'centre', role: 'central' }
  const camera = { name: 'cam', role: 'device', devices: ['front-a', 'rear-a'], password_hash: { file: 'camera-hash' } }
  const { file, port } = await site([{ ...centre, password_hash: await hashOf(PASSWORD) }, camera])
  expect((await luong('check', file)).code).toBe(0)
  const program = await run(file)
  const one = await enter(port, 'centre', PASSWORD)
  const replied = new Promise<{ ok: boolean; id: string }>((done) =>
    one.once('message', (_, payload) => done(JSON.parse(payload.toString()))),
  )
  await one.subscribeAsync('luong/v1/hashed/command/reply', { qos: 1 })
  const order = { id: 'h-1', do: 'close-lane', lane: 'a', by: 'Lan', reason: 'trial', expires: new Date(Date.now() + 60_000).toISOString() }
  await one.publishAsync('luong/v1/hashed/command', JSON.stringify(order), { qos: 1 })
  expect(await replied).toMatchObject({ id: 'h-1', ok: true })
  await expect(enter(port, 'centre', 'camera 5ecret 1')).rejects.toThrow(/Not authorized|bad user name|Bad username/i)
  const cam = await enter(port, 'cam', 'camera 5ecret 1')
  await cam.publishAsync('camera/a/front', 'x', { qos: 1 })

  const gone = new Promise<void>((done) => cam.once('close', () => done()))
  await writeFile(join(dir, 'camera-hash'), await hashOf('camera 5ecret 2'))
  program.signal('SIGHUP')
  await gone
  await expect(enter(port, 'cam', 'camera 5ecret 1')).rejects.toThrow()
  await enter(port, 'cam', 'camera 5ecret 2')
  expect(one.connected).toBe(true)

  // A probe borrows a user; of these only hashes are known.
  const mute = await luong('probe', file, 'front-a', '--listen', '1')
  expect(mute.code).toBe(2)
  expect(mute.err).toMatch(/only hashes are known of the passwords with which to connect to the broker: cam \(device\)/)
  expect(mute.err).toMatch(/Add --user cam and type its password when asked, or give it on standard input/)
  const nobody = await luong('probe', file, 'front-a', '--user', 'kam')
  expect(nobody).toMatchObject({ code: 2, err: expect.stringMatching(/no user kam[\s\S]*It has centre, cam/) })
  const probing = luongWith({ input: 'camera 5ecret 2\n' }, 'probe', file, 'front-a', '--user', 'cam', '--listen', '2')
  const told = await probing
  expect(`${told.out}${told.err}`).not.toMatch(/5ecret/)
  expect(told.out).toMatch(/front-a/)
  expect(told.out).not.toMatch(/not authori|bad user/i)
  program.signal('SIGTERM')
  expect(await program.exit).toBe(0)
  expect(program.err()).not.toMatch(/5ecret|mật khẩu|\$scrypt/)
})
