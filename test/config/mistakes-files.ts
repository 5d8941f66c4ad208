/** More kinds of mistakes in a site file: secrets, other files, YAML itself, warnings, several at once. */
import type { Mistake } from './mistakes.ts'

export const FILE_MISTAKES: Readonly<Record<string, Mistake>> = {
  'password in the file': {
    change: [['links:\n', 'uplink: { url: "mqtt://host", password: hunter2 }\nlinks:\n']],
    says: ['site.yaml:5:41 uplink.password: must be a map, not text (write {env: …} or {file: …})'],
  },
  'password variable not set': {
    change: [['links:\n', 'uplink: { url: "mqtt://host", password: { env: LUONG_UPLINK } }\nlinks:\n']],
    says: [
      'site.yaml:5:48 uplink.password.env: the environment variable LUONG_UPLINK is not set (start with LUONG_UPLINK=… in the environment, or use {file: PATH})',
    ],
  },
  'password variable empty': {
    change: [['links:\n', 'uplink: { url: "mqtt://host", password: { env: EMPTY } }\nlinks:\n']],
    says: [
      'site.yaml:5:48 uplink.password.env: the environment variable EMPTY is empty (start with EMPTY=… in the environment, or use {file: PATH})',
    ],
  },
  'password file missing': {
    change: [['links:\n', 'uplink: { url: "mqtt://host", password: { file: secret.txt } }\nlinks:\n']],
    says: ['site.yaml:5:49 uplink.password.file: the file secret.txt cannot be read: there is no such file (looked for secret.txt)'],
  },
  'password from nowhere': {
    change: [['links:\n', 'uplink: { url: "mqtt://host", password: { evn: A } }\nlinks:\n']],
    says: ['site.yaml:5:43 uplink.password.evn: unknown key (did you mean env?)'],
  },
  'bad topic root': {
    change: [['  id: pass', '  id: pass\n  root: luong/+']],
    says: ['site.yaml:4:9 site.root: write topic levels with slashes between them, without +, # or spaces (it is "luong/+")'],
  },
  'rules file missing': {
    change: [['rules: [rules.yaml]', 'rules: [rules.yaml, more.yaml]']],
    says: ['site.yaml:31:21 rules[1]: more.yaml cannot be read: there is no such file (looked for more.yaml)'],
  },
  'included file missing': {
    change: [['version: 1', 'version: 1\ninclude: [shared.yaml]']],
    says: ['site.yaml:2:11 include[0]: shared.yaml cannot be read: there is no such file'],
  },
  'includes itself': {
    change: [['version: 1', 'version: 1\ninclude: [site.yaml]']],
    says: ['site.yaml:2:11 include[0]: includes itself (site.yaml → site.yaml)'],
  },
  'not YAML': {
    change: [['takes: [loaded]', 'takes: [loaded']],
    says: ['site.yaml:20:5 Flow sequence in block collection must be sufficiently indented and end with a ]'],
  },
  'key twice': {
    change: [['  id: pass', '  id: pass\n  id: gate']],
    says: ['site.yaml:4:3 Map keys must be unique'],
  },
  'tab for spaces': {
    change: [['  id: pass', '	id: pass']],
    says: ['site.yaml:3:1 Tabs are not allowed as indentation'],
  },
  'warning: device not used': {
    change: [['lanes:\n', '  cam-3: { driver: mqtt-camera, link: local, topic: cam/3 }\nlanes:\n']],
    says: ['site.yaml:16:3 warning: devices.cam-3: is not used (no lane or device names it)'],
  },
  'warning: link not used': {
    change: [['  local: { kind: mqtt }', '  local: { kind: mqtt }\n  spare: { kind: memory }']],
    says: ['site.yaml:8:3 warning: links.spare: is not used (no device is on it)'],
  },
  'warning: lane without camera': {
    change: [
      ['    cameras: { rear: [cam-2] }\n', ''],
      ['  cam-2: { driver: mqtt-camera, link: local, topic: cam/2 }\n', ''],
    ],
    says: ['site.yaml:23:3 warning: lanes.two: no camera: every vehicle is referred to the desk (add cameras.front)'],
  },
  'warning: curtain does not keep the arm up': {
    change: [['presence: [io-2.di2]', 'presence: [io-2.di2], curtain: io-2.di3']],
    says: [
      'site.yaml:27:47 warning: lanes.two.sensors.curtain: curtain input io-2.di3 does not keep the arm from closing (add io-2.di3 to devices.arm-2.inhibit)',
    ],
  },
  "warning: another lane's sensor keeps the arm up": {
    change: [['inhibit: [io-2.di2]', 'inhibit: [io-2.di2, io-1.di2]']],
    says: ['site.yaml:12:95 warning: devices.arm-2.inhibit[1]: io-1.di2 is a sensor of lane one, but arm-2 is the barrier of lane two'],
  },
  'several at once': {
    change: [
      ['version: 1', 'version: 1\nhttp: { prot: 80 }'],
      ['unit: 2', 'unit: 300'],
      ['barrier: arm-2', 'barrier: arm-9'],
      ['approach: io-1.di1', 'approach: io-1.di11'],
      ['arm_open_ms: 9000', 'arm_open_ms: 0'],
    ],
    says: [
      'site.yaml:2:9 http.prot: unknown key (did you mean port?)',
      'site.yaml:11:75 devices.io-2.unit: must be at most 255, not 300 (1 to 255)',
      'site.yaml:21:26 lanes.one.sensors.approach: io-1 has no input "di11" (it has di1 … di8)',
      'site.yaml:29:14 lanes.two.barrier: there is no device "arm-9" (did you mean arm-1?)',
      'site.yaml:31:28 lanes.two.timing.arm_open_ms: must be at least 500 ms, not 0 (500 to 60000 ms; 8000 when left out)',
    ],
  },
  'broker user without a password': {
    change: [['links:\n', 'broker: { embedded: { users: [{ name: a, role: page }] } }\nlinks:\n']],
    says: ['site.yaml:5:31 broker.embedded.users[0].password: is missing: write {file: PATH} or {env: NAME}, or give `password_hash`'],
  },
  'broker user with a password and a hash of one': {
    change: [
      [
        'links:\n',
        'broker: { embedded: { users: [{ name: a, role: page, password: { file: site.yaml }, password_hash: { file: site.yaml } }] } }\nlinks:\n',
      ],
    ],
    says: ['site.yaml:5:100 broker.embedded.users[0].password_hash: there is `password` already: leave one of the two out'],
  },
  'password where its hash belongs': {
    change: [['links:\n', 'broker: { embedded: { users: [{ name: a, role: page, password_hash: hunter2 }] } }\nlinks:\n']],
    says: [
      'site.yaml:5:69 broker.embedded.users[0].password_hash: it is no password hash ($scrypt$ln=…,r=…,p=…$SALT$HASH): make one with `luong secret hash`',
    ],
  },
  'hash of another kind': {
    change: [
      ['links:\n', 'broker: { embedded: { users: [{ name: a, role: page, password_hash: $2b$12$abcdefghijklmnopqrstuvwx }] } }\nlinks:\n'],
    ],
    says: [
      'site.yaml:5:69 broker.embedded.users[0].password_hash: it is made with 2b; only scrypt is understood: make one with `luong secret hash`',
    ],
  },
  'weak hash': {
    change: [
      [
        'links:\n',
        'broker: { embedded: { users: [{ name: a, role: page, password_hash: "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA" }] } }\nlinks:\n',
      ],
    ],
    says: [
      'site.yaml:5:69 broker.embedded.users[0].password_hash: ln=4,r=8,p=1 is too weak: passwords could be guessed quickly: make one with `luong secret hash`',
    ],
  },
  'hash in a file that holds something else': {
    change: [['links:\n', 'broker: { embedded: { users: [{ name: a, role: page, password_hash: { file: site.yaml } }] } }\nlinks:\n']],
    says: [
      'site.yaml:5:77 broker.embedded.users[0].password_hash.file: the file site.yaml: it is no password hash ($scrypt$ln=…,r=…,p=…$SALT$HASH) (make one with `luong secret hash`)',
    ],
  },
  'hash where its password belongs': {
    change: [
      [
        'links:\n',
        'broker: { embedded: { users: [{ name: a, role: page, password: "$scrypt$ln=15,r=8,p=3$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA" }] } }\nlinks:\n',
      ],
    ],
    says: ['site.yaml:5:64 broker.embedded.users[0].password: must be a map, not text (write {env: …} or {file: …})'],
  },
}
