/** The commands that look into a data folder, in a process of their own. */
import { Command } from 'commander'
import { backup } from '../../../gateway/cli/backup.ts'
import { journal } from '../../../gateway/cli/journal.ts'
import { replay } from '../../../gateway/cli/replay.ts'
import { report } from '../../../gateway/cli/report.ts'
import { LuongError } from '../../../gateway/kernel/errors.ts'

const program = new Command('luong')
for (const add of [journal, replay, report, backup]) add(program)
try {
  await program.parseAsync(process.argv)
} catch (error) {
  process.stderr.write(`${error instanceof LuongError ? `${error.code}: ${error.message}` : String(error)}\n`)
  process.exitCode = 1
}
