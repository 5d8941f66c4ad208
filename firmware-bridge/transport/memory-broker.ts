/** A broker in memory: what drivers and simulated devices see of MQTT, without a socket. Retained messages and wildcards work. */
import { LuongError } from '../../gateway/kernel/errors.ts'
import { LinkState } from './link-state.ts'
import { topicMatches } from './topic.ts'
import type { Message, MessageTransport } from './transport.ts'

export interface MemoryClient extends MessageTransport {
  /** Takes the connection away: publishes reject, nothing is delivered. */
  cut(why?: string): void
  /** Connects again: a clean session, so retained messages are delivered again. */
  restore(): void
}

export interface MemoryBroker {
  connect(name: string): MemoryClient
  readonly retained: ReadonlyMap<string, Uint8Array>
}

/** Makes an empty broker. Messages arrive in order, never in the turn in which they were published. */
export function memoryBroker(): MemoryBroker {
  const retained = new Map<string, Uint8Array>()
  const sinks = new Set<(message: Message) => void>()

  const connect = (name: string): MemoryClient => {
    const state = new LinkState()
    const subscriptions = new Set<{ filter: string; fn: (message: Message) => void }>()
    let plugged = true
    let started = false
    let epoch = 0

    const later = (fn: () => void) => {
      const madeIn = epoch
      queueMicrotask(() => {
        if (madeIn === epoch && state.up) fn()
      })
    }
    const give = (fn: (message: Message) => void, message: Message) => {
      try {
        fn(message)
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : String(error))
      }
    }
    const sink = (message: Message) => {
      if (!state.up) return
      later(() => {
        for (const s of [...subscriptions]) if (topicMatches(s.filter, message.topic)) give(s.fn, message)
      })
    }
    const sendRetained = (s: { filter: string; fn: (message: Message) => void }) => {
      if (!state.up) return
      later(() => {
        if (!subscriptions.has(s)) return
        for (const [topic, payload] of retained) if (topicMatches(s.filter, topic)) give(s.fn, { topic, payload, retained: true })
      })
    }
    const goUp = () => {
      if (!started || !plugged || state.up) return
      state.set(true)
      sinks.add(sink)
      for (const s of subscriptions) sendRetained(s)
    }
    const goDown = (why: string) => {
      epoch++
      sinks.delete(sink)
      state.set(false, why)
    }

    return {
      name,
      get up() {
        return state.up
      },
      start() {
        started = true
        goUp()
      },
      async stop() {
        started = false
        goDown(`${name}: stopped`)
      },
      async publish(topic, payload, options) {
        if (!state.up) throw new LuongError('LINK_DOWN', `${name} is not connected to its broker`)
        const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : Uint8Array.from(payload)
        if (options.retain) {
          if (bytes.length === 0) retained.delete(topic)
          else retained.set(topic, bytes)
        }
        for (const give of [...sinks]) give({ topic, payload: bytes, retained: false })
      },
      subscribe(filter, fn) {
        const s = { filter, fn }
        subscriptions.add(s)
        sendRetained(s)
        return () => subscriptions.delete(s)
      },
      onState: (fn) => state.on(fn),
      cut(why = `${name}: the broker is away`) {
        plugged = false
        goDown(why)
      },
      restore() {
        plugged = true
        goUp()
      },
    }
  }
  return { connect, retained }
}
