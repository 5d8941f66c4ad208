/** `luong declarations`: import a file of them, and look at what is known. */
import { type Command, InvalidArgumentError } from 'commander'
import { whole } from './options.ts'
import { finish } from './print.ts'

export interface WhereOptions {
  readonly data?: string
  readonly json?: true
}

export interface ImportOptions extends WhereOptions {
  readonly format?: 'csv' | 'json'
  readonly replace?: true
  readonly dryRun?: true
  readonly wait: number
}

export interface ListOptions extends WhereOptions {
  readonly plate?: string
  readonly valid?: true
  readonly limit: number
}

const USAGE = `
  luong declarations import FILE SITE.yaml [--data DIR] [--replace] [--dry-run] [--format csv|json] [--wait SECONDS] [--json]
  luong declarations list [SITE.yaml] [--data DIR] [--plate PLATE] [--valid] [--limit N] [--json]
  luong declarations show ID [SITE.yaml] [--data DIR] [--json]

FILE is a table (CSV: commas, semicolons or tabs; the first line names the columns) or JSON (an array, or an object a line), in UTF-8.
Either all of it is taken or nothing. A gateway that runs takes it at once; else it is there at the next start.`

export function declarations(program: Command): void {
  const group = program
    .command('declarations')
    .description('import declared traffic from a file, and look at what is known')
    .addHelpText('after', USAGE)
  const where = (c: Command) =>
    c
      .option('--data <dir>', 'data folder of the gateway; default: data.dir of the site file')
      .option('--json', 'JSON, one object a line')
      .exitOverride()
  where(group.command('import'))
    .argument('<file>', 'CSV or JSON, UTF-8')
    .argument('[site.yaml]', 'site file; --data alone is enough where a gateway has run before')
    .description('take a file of declarations: all of it or nothing')
    .option('--replace', 'withdraw every declaration that is not in the file')
    .option('--dry-run', 'only look for mistakes')
    .option('--format <kind>', 'csv or json; default: by the name of the file', format)
    .option('--wait <seconds>', 'how long a running gateway may take', whole(1, 3_600), 120)
    .action((file: string, site: string | undefined, options: ImportOptions) =>
      finish(async () => (await import('./declarations-import.ts')).importFile(file, site, options)),
    )
  where(group.command('list'))
    .argument('[site.yaml]', 'site file')
    .description('declarations on site, newest first, and how old the lists are')
    .option('--plate <plate>', 'only those of this tractor or trailer')
    .option('--valid', 'only those that are valid now')
    .option('--limit <n>', 'at most so many', whole(1, 1_000_000), 100)
    .action((site: string | undefined, options: ListOptions) =>
      finish(async () => (await import('./declarations-list.ts')).list(site, options)),
    )
  where(group.command('show'))
    .argument('<id>', 'number of the declaration')
    .argument('[site.yaml]', 'site file')
    .description('one declaration, all of it')
    .action((id: string, site: string | undefined, options: WhereOptions) =>
      finish(async () => (await import('./declarations-list.ts')).show(id, site, options)),
    )
}

function format(text: string): 'csv' | 'json' {
  if (text === 'csv' || text === 'json') return text
  throw new InvalidArgumentError('It must be csv or json')
}
