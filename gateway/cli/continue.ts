/**
 * `luong continue`: after an older backup was restored, the journal goes on above all numbers that the centre may have. Done by a person, by
 * name and with a reason, on a box whose gateway does not run; the journal says so for ever.
 */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type LoadedSite, loadSite } from '../../config/load.ts'
import { continueJournal, forkOf, recordedSince } from '../journal/continue.ts'
import { openReader } from '../journal/reader.ts'
import { genuine, openSeal, type SealedHead, sealed } from '../journal/seal.ts'
import { zoneOf } from '../journal/zone.ts'
import { systemClock } from '../kernel/clock.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import { silentLog } from '../kernel/log.ts'
import { watchClock } from '../site/clock-quality.ts'
import { targetConnections } from '../site/derive.ts'
import { look } from '../uplink/look.ts'
import { journalData } from '../uplink/schema/event.ts'
import { readSealed } from './journal-against.ts'
import { whole } from './options.ts'
import { finish, printer } from './print.ts'

interface Options {
  readonly by: string
  readonly reason: string
  readonly data?: string
  readonly head?: string
  readonly next?: number
  readonly newKey?: true
  readonly leaveUnsent?: true
  readonly dryRun?: true
  readonly json?: true
}

/** What was sent after the last head and status that the centre keeps: minutes of a gate have hundreds of events. */
const MARGIN = 10_000
/** No journal loses more than this: a larger number is a mistake, and could never be taken back. */
const MOST_AHEAD = 1_000_000_000

/** Registers the command. */
export function register(program: Command): void {
  program
    .command('continue')
    .description('after a restore: let the journal go on above the numbers of what is lost; the gateway must not run')
    .argument('<site.yaml>', 'the site file; names the data folder and the way to the centre')
    .requiredOption('--by <name>', 'who decides this: recorded')
    .requiredOption('--reason <text>', 'why: recorded')
    .option('--data <dir>', 'data folder, where it is not that of the site file')
    .option('--head <file>', 'the last signed head, as the centre has it, in place of asking its broker (topic …/head)')
    .option(
      '--next <sequence>',
      'the first number to use, as agreed with the centre, in place of asking its broker',
      whole(2, Number.MAX_SAFE_INTEGER),
    )
    .option('--new-key', 'the key of the box (identity.pem) is lost as well, or another one: the centre must be told')
    .option('--leave-unsent', 'the gateway has run since the restore: what it recorded stays on the box and is never sent')
    .option('--dry-run', 'only say what would be done')
    .option('--json', 'one JSON object')
    .action((file: string, options: Options) => finish(() => run(file, options)))
}

const refuse = (message: string, hint: string) => new LuongError('BAD_USAGE', message, { hint })

async function run(file: string, o: Options): Promise<number> {
  const loaded = await loadSite(file)
  const { site } = loaded
  const dir = resolve(o.data ?? site.data.dir)
  const known = await knownAtCentre(loaded, o)
  const { last, fork, since, goesOn } = ends(dir, known.head)
  const next = o.next ?? Math.max(known.head?.sequence ?? 0, known.sequence) + MARGIN + 1
  if (next < last + 2) throw refuse(`--next ${next}: the journal ends at ${last} itself`, `Give ${last + 2} or more, as the centre says.`)
  if (since > 0 && !o.leaveUnsent)
    throw refuse(
      `${since === 1 ? '1 event was' : `${since} events were`} recorded here since the restore, under numbers that the centre knows for others: they can never be sent`,
      `${goesOn === null ? '' : `This journal already goes on at ${goesOn}. Has the centre nothing as high from the box that is lost? Then start the gateway, and do no more. Else: `}Give them to the centre as a file (luong journal ${dir} --from ${fork + 1} --json) and add --leave-unsent. Better: restore anew, and do this before the gateway starts.`,
    )
  if (known.head && next <= known.head.sequence)
    throw refuse(`--next ${next}: the centre has a signed head of sequence ${known.head.sequence}`, 'Give a larger one.')
  if (next > last + MOST_AHEAD) throw refuse(`${next} is too far above ${last}, where the journal ends`, 'Ask the centre, and give --next.')
  const at = systemClock.now()
  const data = {
    ...(known.head ? { head: known.head } : {}),
    key: keyOf(dir, known.head, o),
    ...{ clock: clockNow(loaded), historical: false, by: o.by, reason: o.reason },
  }
  const skipped = { from: fork + 1, to: next - 1 }
  const fits = journalData.safeParse({ ...skipped, ...data })
  if (!fits.success)
    throw refuse(`--by or --reason cannot be recorded: ${fits.error.issues[0]?.message}`, 'One to 120, and one to 300 characters.')
  const settings = { dir, site: site.site.id, timezone: site.site.timezone, minFreeMb: 0, reserveMb: 16 }
  if (!o.dryRun) continueJournal(settings, skipped, { at, data })
  const out = printer()
  if (o.json) await out.line(JSON.stringify({ dir, ...skipped, sequence: next, unsent: since, key: data.key, done: !o.dryRun }))
  else {
    await out.line(
      `${dir}: the journal ${o.dryRun ? 'would go' : 'goes'} on with sequence ${next}, an event that says so, by ${o.by}: ${o.reason}`,
    )
    await out.line(
      `Sequences ${last + 1} to ${next - 1} are not in it. Whatever the centre has of them stays true; nothing brings the rest.`,
    )
    await out.line(
      o.dryRun ? 'Nothing was done.' : 'Now start the gateway, and tell the receivers of this event (docs/operate.md, "After a restore").',
    )
  }
  return 0
}

interface Known {
  readonly head: SealedHead | null
  /** Of the retained status: unsigned, but it may be newer. */
  readonly sequence: number
}

async function knownAtCentre(loaded: LoadedSite, o: Options): Promise<Known> {
  if (o.head !== undefined) return { head: trusted(readSealed(o.head), loaded), sequence: 0 }
  if (o.next !== undefined) return { head: null, sequence: 0 }
  const { id, root } = loaded.site.site
  const up = targetConnections(loaded.site, null, undefined).find((t) => t.target === 'uplink')
  const byHand = 'Give --head with the last signed head, or --next with the number that the centre says.'
  if (!up) throw refuse('the site has no uplink to ask what the centre knows', byHand)
  const clientId = `luong-${id}-continue-${randomBytes(3).toString('hex')}`
  const asked = { root, site: id, connection: up.connection, clientId, clock: systemClock, log: silentLog }
  const seen = await look(asked, async (_, { status, head }) => ({ status, head })).catch((error: unknown) => {
    throw new LuongError('LINK_DOWN', `the centre's broker was not reached: ${messageOf(error)}`, { hint: byHand, cause: error })
  })
  if (seen.status?.online)
    throw refuse(
      `a box speaks for ${id} at this moment: boot ${seen.status.boot}, sequence ${seen.status.sequence}, at ${seen.status.at}`,
      'Stop it first, and keep it off the network. If it has just died, wait until the broker has noticed (two minutes).',
    )
  if (!seen.head) throw refuse(`the centre's broker keeps no signed head of ${id}`, byHand)
  return { head: trusted(seen.head as SealedHead, loaded), sequence: seen.status?.sequence ?? 0 }
}

/** @throws BAD_USAGE when it was not signed by the key in it, or is of another site */
function trusted(head: SealedHead, { site }: LoadedSite): SealedHead {
  if (!genuine(head)) throw refuse('the signature of the head is not by its key', 'It was changed: get it from the centre again.')
  if (head.site !== site.site.id) throw refuse(`the head is of site ${head.site}`, `Give one of ${site.site.id}.`)
  return head
}

interface Ends {
  readonly last: number
  /** Where it left what the centre knows. */
  readonly fork: number
  /** Events since. */
  readonly since: number
  /** Number with which it went on before. */
  readonly goesOn: number | null
}

/** @throws BAD_USAGE when nothing is to be done: it holds what the centre has, or goes on above it already */
function ends(dir: string, head: SealedHead | null): Ends {
  const reader = openReader(dir)
  try {
    if (head && reader.queries.hashOf(head.entry) === head.hash)
      throw refuse(
        `${dir} holds the journal up to the centre's signed head (sequence ${head.sequence}): nothing is lost`,
        'Start the gateway. Was more sent after that head? Then give --next with the number that the centre says.',
      )
    const fork = forkOf(reader)
    const { events, goesOn } = recordedSince(reader, fork)
    if (head && goesOn !== null && head.sequence < goesOn)
      throw refuse(
        `this journal already goes on at ${goesOn}, above the centre's signed head (sequence ${head.sequence}): nothing is left to do`,
        'Start the gateway. Has the centre numbers as high from the box that is lost? Then give --next with the number that it says.',
      )
    return { last: reader.queries.lastSequence(), fork, since: events, goesOn }
  } finally {
    reader.close()
  }
}

/** Fingerprint of the key with which the box goes on. */
function keyOf(dir: string, head: SealedHead | null, { newKey, dryRun }: Options): string {
  const putBack = 'Put back the copy of identity.pem (owner luong, mode 600); if it is lost, add --new-key and tell the centre.'
  if (!newKey && !sealed(dir)) throw refuse(`${dir} has no identity.pem: the centre would take this box for another one`, putBack)
  if (dryRun && !sealed(dir)) return '0'.repeat(16)
  const seal = openSeal(dir)
  if (!newKey && head && head.key !== seal.key)
    throw refuse(`identity.pem in ${dir} is not the key that signed the centre's head (it is ${seal.fingerprint})`, putBack)
  return seal.fingerprint
}

function clockNow({ site }: LoadedSite) {
  const zone = zoneOf(site.site.timezone)
  return watchClock({ clock: systemClock, zone, onSet: () => {} })()
}
