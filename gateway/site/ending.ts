/** What a stop waits for. In real time: brokers and disks know no other, and people wait in it. */
import { sleep, systemClock } from '../kernel/clock.ts'
import type { LaneRunner } from './lane-runner.ts'
import type { Target } from './links.ts'
import type { Recorder } from './recorder.ts'

/** A truck that drives through, and the arm after it, have this long before a stop goes on without them. */
const DRAIN_MS = 20_000

/** Waits until everything recorded is durable and acknowledged by the brokers that are there; at most `ms`. */
export async function allSaid(recorder: Recorder, targets: readonly Target[], ms: number): Promise<void> {
  const until = performance.now() + ms
  const busy = () =>
    recorder.backlog > 0 || targets.some((t) => t.connection.up && t.publisher.stats().lag > t.publisher.stats().parked.length)
  while (busy() && performance.now() < until) await sleep(systemClock, 20)
}

/** Lets nobody in any more and waits until those who were let in are through and no arm moves; at most {@link DRAIN_MS}. */
export async function lanesDrained(runners: readonly LaneRunner[]): Promise<void> {
  const until = performance.now() + DRAIN_MS
  for (const runner of runners) runner.hold()
  while (runners.some((runner) => runner.busy) && performance.now() < until) await sleep(systemClock, 50)
}
