/**
 * A process that does to a broker what a client should not, all at once: `node attacker.js PORT`. Connects without end, leaves packets
 * unfinished, sends as fast as it can, subscribes to everything and reads nothing, announces packets of 256 MB. Says what it did when it ends.
 */
import { connect as netConnect, type Socket } from 'node:net'

const port = Number(process.argv[2])
const did = { connections: 0, refused: 0, messages: 0, loris: 0, oversized: 0, deaf: 0 }
let ending = false

const connectPacket = (id: string) => {
  const name = Buffer.from(id)
  const body = Buffer.concat([Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, name.length]), name])
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
const publish = Buffer.concat([Buffer.from([0x30, 2 + 6 + payload.length, 0, 6]), Buffer.from('attack'), payload])
const many = Buffer.concat(new Array(100).fill(publish))

/** As much as the broker takes. */
function flood(socket: Socket): void {
  socket.write(connectPacket(`flood-${Math.random()}`))
  const send = () => {
    while (!socket.destroyed && socket.write(many)) did.messages += 100
  }
  socket.on('drain', send)
  socket.once('data', send)
}

for (let i = 0; i < 50; i++) again('connections', 5, (socket) => setTimeout(() => socket.destroy(), 500))
for (let i = 0; i < 16; i++) {
  again('loris', 100, (socket) => {
    socket.write(connectPacket(`loris-${i}-${Math.random()}`))
    const drip = setInterval(() => socket.write(Buffer.from([0x30, 0xff, 0x7f]).subarray(0, 1)), 1_000)
    socket.once('close', () => clearInterval(drip))
  })
}
for (let i = 0; i < 4; i++) again('messages', 100, flood)
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
