/** `luong schema`: JSON Schema of the site file for editors. */
import type { Command } from 'commander'
import { siteJsonSchema } from '../../config/json-schema.ts'
import { drivers } from '../../firmware-bridge/registry.ts'

/** Registers the command. */
export function schema(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of the site file')
    .action(() => {
      process.stdout.write(`${JSON.stringify(siteJsonSchema(drivers), null, 2)}\n`)
    })
}
