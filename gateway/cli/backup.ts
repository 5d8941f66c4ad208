/** `luong backup` and `luong restore`. */
import type { Command } from 'commander'
import { backup as backUp, restore } from '../journal/backup.ts'
import { finish, printer } from './print.ts'

interface Options {
  readonly evidence?: true
  readonly json?: true
}

export function backup(program: Command): void {
  program
    .command('backup')
    .argument('<data-dir>', 'data folder of a gateway, running or not')
    .argument('<file>', 'file to write; must not exist')
    .description('copy the journal into one file, and verify the copy')
    .option('--evidence', 'take the pictures along')
    .option('--json', 'one JSON object')
    .action((dir: string, file: string, options: Options) =>
      finish(async () => {
        const report = await backUp(dir, file, { evidence: options.evidence ?? false })
        const { entries, events, pictures, head } = report
        await printer().line(
          options.json
            ? JSON.stringify({ file, entries, events, pictures, head })
            : `${file}: ${entries} entries, ${events} events, ${pictures} pictures; verified; head ${head.sequence} ${head.hash}`,
        )
        return 0
      }),
    )
  program
    .command('restore')
    .argument('<file>', 'file that `luong backup` wrote')
    .argument('<data-dir>', 'folder to fill; empty or absent')
    .description('fill a new data folder from a backup, after verifying it')
    .option('--json', 'one JSON object')
    .action((file: string, dir: string, options: Options) =>
      finish(async () => {
        const { entries, events, pictures, head } = await restore(file, dir)
        const out = printer()
        if (options.json) await out.line(JSON.stringify({ dir, entries, events, pictures, head }))
        else {
          await out.line(`${dir}: ${entries} entries, ${events} events, ${pictures} pictures; verified`)
          await out.line(`The next event gets sequence ${head.sequence + 1}. If the site published more than that before it was lost,`)
          await out.line('run `luong continue` before the gateway starts: receivers take known sequences for repetitions.')
        }
        return 0
      }),
    )
}
