/** Every kind of mistake in a site file: what is changed in the site of harness.ts, and the lines a technician is told. */
export interface Mistake {
  readonly change: readonly (readonly [old: string, now: string])[]
  readonly says: readonly string[]
}

/** The rest stands in mistakes-files.ts. */
export const MISTAKES: Readonly<Record<string, Mistake>> = {
  'unknown key at the top': {
    change: [['site:\n', 'stie: 1\nsite:\n']],
    says: [
      'site.yaml:2:1 stie: unknown key (known here: version, include, site, broker, uplink, peer, desk, lists, stays, http, data, plates, links, devices, lanes, lane_plan, calling, rules)',
    ],
  },
  'lanes that are called one after the other, but are not there, wait twice, or never': {
    change: [
      [
        'rules: [rules.yaml]',
        `calling:
  yard: { lanes: [one, three] }
  bridge: { lanes: [one, two], at_once: 2 }
rules: [rules.yaml]`,
      ],
    ],
    says: [
      'site.yaml:32:24 calling.yard.lanes[1]: there is no lane "three" (there are: one, two)',
      'site.yaml:33:21 calling.bridge.lanes[0]: lane one is in group yard already (a lane waits in one group)',
      'site.yaml:33:41 warning: calling.bridge.at_once: nobody ever waits: 2 at once of 2 lanes (make at_once smaller, or take the group out)',
    ],
  },
  'a pair with itself, a lane that is not there, and no way in for the other half': {
    change: [
      [
        'rules: [rules.yaml]',
        `peer: { site: pass, hands_over: export, roads: { three: one } }
broker: { embedded: { users: [{ name: bridge, role: peer, password: { file: site.yaml } }] } }
rules: [rules.yaml]`,
      ],
    ],
    says: [
      'site.yaml:31:15 peer.site: pass is this site itself (give the site id of the other half)',
      'site.yaml:31:50 peer.roads.three: there is no lane "three" (there are: one, two)',
      'site.yaml:32:39 broker.embedded.users[0].name: a user with role peer has the site id of the other half (name it pass)',
    ],
  },
  'a pair whose other half cannot connect': {
    change: [
      [
        'rules: [rules.yaml]',
        `peer: { site: other, hands_over: export }
broker: { embedded: { users: [{ name: page, role: page, password: { file: site.yaml } }] } }
rules: [rules.yaml]`,
      ],
    ],
    says: [
      'site.yaml:31:15 peer.site: the other half cannot connect: no user of the broker has the role peer (add { name: other, role: peer, password: … } to broker.embedded.users, or give peer.broker)',
    ],
  },
  'misspelt required key is told once': {
    change: [['direction: import', 'directoin: import']],
    says: ['site.yaml:18:5 lanes.one.directoin: unknown key (did you mean direction?)'],
  },
  'unknown key without a near one': {
    change: [['barrier: arm-1', 'barrier: arm-1\n    colour: blue']],
    says: [
      'site.yaml:22:5 lanes.one.colour: unknown key (known here: name, direction, takes, priority, sensors, barrier, light, cameras, scale, tag, code, idle_light, timing, simulation)',
    ],
  },
  'missing key': {
    change: [['    direction: import\n', '']],
    says: ['site.yaml:17:3 lanes.one.direction: is missing (Direction: import: into Vietnam; export: out of Vietnam)'],
  },
  'key without a value': {
    change: [['    barrier: arm-1', '    barrier:']],
    says: ['site.yaml:21:5 lanes.one.barrier: must be text, not empty (Barrier: Device id of the barrier)'],
  },
  'wrong type': {
    change: [['takes: [loaded]', 'takes: loaded']],
    says: ['site.yaml:19:12 lanes.one.takes: must be a list, not "loaded" (write [loaded])'],
  },
  'number with a unit': {
    change: [['arm_open_ms: 9000', 'arm_open_ms: 9s']],
    says: ['site.yaml:30:28 lanes.two.timing.arm_open_ms: must be a number, not "9s" (a bare number, in ms)'],
  },
  'number in quotes': {
    change: [['unit: 1', "unit: '1'"]],
    says: ['site.yaml:9:75 devices.io-1.unit: must be a number, not "1" (a bare number, without quotes)'],
  },
  'fraction for a whole number': {
    change: [['arm_open_ms: 9000', 'arm_open_ms: 9000.5']],
    says: ['site.yaml:30:28 lanes.two.timing.arm_open_ms: must be a whole number, not 9000.5 (500 to 60000 ms; 8000 when left out)'],
  },
  'number out of bounds, below': {
    change: [['arm_open_ms: 9000', 'arm_open_ms: 9']],
    says: ['site.yaml:30:28 lanes.two.timing.arm_open_ms: must be at least 500 ms, not 9 (500 to 60000 ms; 8000 when left out)'],
  },
  'number out of bounds, above': {
    change: [['arm_open_ms: 9000', 'arm_open_ms: 900000']],
    says: ['site.yaml:30:28 lanes.two.timing.arm_open_ms: must be at most 60000 ms, not 900000 (500 to 60000 ms; 8000 when left out)'],
  },
  'yes for true': {
    change: [['takes: [loaded]', 'takes: [loaded]\n    priority: yes']],
    says: ['site.yaml:20:15 lanes.one.priority: must be true or false, not "yes" (YAML 1.2 knows true and false only)'],
  },
  'wrong choice': {
    change: [['takes: [empty]', 'takes: [emtpy]']],
    says: [
      'site.yaml:26:13 lanes.two.takes[0]: must be one of loaded, empty, agricultural, two-way, parcel, border-resident, not "emtpy" (did you mean empty?)',
    ],
  },
  'empty list': {
    change: [['takes: [empty]', 'takes: []']],
    says: ['site.yaml:26:12 lanes.two.takes: needs at least 1 entry'],
  },
  'bad name': {
    change: [['  one:\n', '  Lane One:\n']],
    says: ['site.yaml:17:3 lanes."Lane One": this name cannot be used: use lower-case letters, digits and dashes, at most 41'],
  },
  'reserved name': {
    change: [
      ['rules: [rules.yaml]', 'http: { __proto__: 1 }\nrules: [rules.yaml]'],
      ['  local:', '  __proto__: { kind: memory }\n  local:'],
    ],
    says: ['site.yaml:7:3 links.__proto__: this name cannot be used', 'site.yaml:32:9 http.__proto__: this name cannot be used'],
  },
  'bad point': {
    change: [['approach: io-1.di1', 'approach: di1']],
    says: ['site.yaml:20:26 lanes.one.sensors.approach: write DEVICE.POINT, e.g. io-1.di3 (it is "di1")'],
  },
  'no such time zone': {
    change: [['  id: pass', '  id: pass\n  timezone: Asia/Hanoi']],
    says: ['site.yaml:4:13 site.timezone: is not a time zone of the IANA list, e.g. Asia/Ho_Chi_Minh (it is "Asia/Hanoi")'],
  },
  'newer version': {
    change: [['version: 1', 'version: 2']],
    says: ['site.yaml:1:10 version: must be 1, not 2 (the file was written for a newer version of this program: update the program)'],
  },
  'fraction out of bounds': {
    change: [['rules: [rules.yaml]', 'rules: [rules.yaml]\nplates: { min_weakest: 2 }']],
    says: ['site.yaml:32:24 plates.min_weakest: must be at most 1, not 2 (0 to 1; 0.6 when left out)'],
  },
  'unknown link kind': {
    change: [['kind: serial', 'kind: seriel']],
    says: ['site.yaml:6:16 links.bus.kind: must be one of serial, tcp, mqtt, memory, not "seriel" (did you mean serial?)'],
  },
  'link without kind': {
    change: [['{ kind: serial, ', '{ ']],
    says: ['site.yaml:6:3 links.bus.kind: is missing (write one of serial, tcp, mqtt, memory)'],
  },
  'odd stop bits': {
    change: [['path: /dev/ttyUSB0', 'path: /dev/ttyUSB0, stop_bits: 3']],
    says: ['site.yaml:6:55 links.bus.stop_bits: must be 1 or 2, not 3'],
  },
  'unknown driver': {
    change: [['driver: traffic-light', 'driver: trafic-light']],
    says: ['site.yaml:13:22 devices.light-1.driver: there is no driver "trafic-light" (did you mean traffic-light?)'],
  },
  'device without driver': {
    change: [['{ driver: traffic-light, ', '{ ']],
    says: ['site.yaml:13:3 devices.light-1.driver: is missing (write one of barrier, modbus-io, mqtt-camera, traffic-light, xk3190)'],
  },
  'device that is no map': {
    change: [['cam-2: { driver: mqtt-camera, link: local, topic: cam/2 }', 'cam-2: 7']],
    says: ['site.yaml:15:10 devices.cam-2: must be a map, not 7'],
  },
  'key unknown to the driver': {
    change: [['link: bus, profile: waveshare-relay-d, unit: 1', 'link: bus, profile: waveshare-relay-d, unitt: 1']],
    says: ['site.yaml:9:69 devices.io-1.unitt: unknown key (did you mean unit?)'],
  },
  'wrong profile': {
    change: [['waveshare-relay-d, unit: 1', 'waveshare-relayd, unit: 1']],
    says: [
      'site.yaml:9:50 devices.io-1.profile: must be one of waveshare-relay-d, waveshare-io-8ch, waveshare-relay, waveshare-poe, lc-tech-8, lc-tech-8-mode4, r4d8, stc-kc, wellpro-8025, moxa-e1214, wirenboard-6, not "waveshare-relayd" (did you mean waveshare-relay-d?)',
    ],
  },
  "driver's own rule": {
    change: [['open: io-2.do1, close: io-2.do2', 'open: io-2.do1']],
    says: ['site.yaml:12:3 devices.arm-2.close: a pulse barrier needs a close relay'],
  },
  'no such device': {
    change: [['barrier: arm-2', 'barrier: arm-3']],
    says: [
      'site.yaml:12:3 warning: devices.arm-2: is not used (no lane or device names it)',
      'site.yaml:28:14 lanes.two.barrier: there is no device "arm-3" (did you mean arm-1?)',
    ],
  },
  'device of the wrong kind': {
    change: [['barrier: arm-2', 'barrier: light-1']],
    says: [
      'site.yaml:12:3 warning: devices.arm-2: is not used (no lane or device names it)',
      'site.yaml:28:14 lanes.two.barrier: light-1 is a traffic light (traffic-light), not a barrier (there are: arm-1, arm-2)',
    ],
  },
  'camera that is none': {
    change: [['front: [cam-1]', 'front: [io-1]']],
    says: [
      'site.yaml:14:3 warning: devices.cam-1: is not used (no lane or device names it)',
      'site.yaml:23:24 lanes.one.cameras.front[0]: io-1 is a board (modbus-io), not a camera (there are: cam-1, cam-2)',
    ],
  },
  'no such link': {
    change: [['link: bus, profile: waveshare-relay-d, unit: 2', 'link: buss, profile: waveshare-relay-d, unit: 2']],
    says: ['site.yaml:10:36 devices.io-2.link: there is no link "buss" (did you mean bus?)'],
  },
  'link of the wrong kind': {
    change: [['link: local, topic: cam/1', 'link: bus, topic: cam/1']],
    says: ['site.yaml:14:39 devices.cam-1.link: link bus is of kind serial; mqtt-camera needs mqtt (there are: local)'],
  },
  'tcp framing on a serial line': {
    change: [['unit: 1 }', 'unit: 1, framing: tcp }']],
    says: ['site.yaml:9:87 devices.io-1.framing: tcp framing on the serial link bus (serial lines and device servers carry rtu)'],
  },
  'one serial port, two links': {
    change: [
      ['  local: { kind: mqtt }', '  local: { kind: mqtt }\n  bus-2: { kind: serial, path: /dev//ttyUSB0 }'],
      ['link: bus, profile: waveshare-relay-d, unit: 2', 'link: bus-2, profile: waveshare-relay-d, unit: 2'],
    ],
    says: ['site.yaml:8:32 links.bus-2.path: /dev/ttyUSB0 is already taken by link bus (put all devices of one line on one link)'],
  },
  'one TCP address, two links': {
    change: [
      ['{ kind: serial, path: /dev/ttyUSB0 }', '{ kind: tcp, host: moxa, port: 4001 }\n  bus-2: { kind: tcp, host: MOXA, port: 4001 }'],
      ['link: bus, profile: waveshare-relay-d, unit: 2', 'link: bus-2, profile: waveshare-relay-d, unit: 2'],
    ],
    says: ['site.yaml:7:29 links.bus-2.host: moxa:4001 is already taken by link bus (put all devices of one line on one link)'],
  },
  'one unit twice on a bus': {
    change: [['unit: 2', 'unit: 1']],
    says: ['site.yaml:10:75 devices.io-2.unit: unit 1 on link bus is already io-1 (give each board on a bus its own unit address)'],
  },
  'factory unit twice on a bus': {
    change: [[', unit: 2', '']],
    says: ['site.yaml:10:3 devices.io-2.unit: unit 1 on link bus is already io-1 (give each board on a bus its own unit address)'],
  },
  'two framings on one link': {
    change: [
      ['{ kind: serial, path: /dev/ttyUSB0 }', '{ kind: tcp, host: moxa, port: 4001 }'],
      ['unit: 2', 'unit: 2, framing: tcp'],
    ],
    says: ['site.yaml:10:87 devices.io-2.framing: framing differs from that of io-1 on the same link bus'],
  },
  'weighbridge on a bus': {
    change: [
      ['lanes:\n', '  scale: { driver: xk3190, link: bus }\nlanes:\n'],
      ['    barrier: arm-2', '    barrier: arm-2\n    scale: scale'],
    ],
    says: ['site.yaml:16:34 devices.scale.link: link bus already carries io-1 (modbus-io); xk3190 needs a line of its own'],
  },
  'one input, two lanes': {
    change: [['presence: [io-2.di2]', 'presence: [io-2.di2, io-1.di1]']],
    says: [
      'site.yaml:27:26 lanes.two.sensors.presence: presence input io-1.di1 does not keep the arm from closing (add io-1.di1 to devices.arm-2.inhibit)',
      'site.yaml:27:37 lanes.two.sensors.presence[1]: io-1.di1 is already used by lane one (approach) (one input, one purpose)',
    ],
  },
  'one input, sensor and limit switch': {
    change: [['approach: io-1.di1', 'approach: io-1.di5']],
    says: ['site.yaml:11:87 devices.arm-1.open_limit: io-1.di5 is already used by lane one (approach) (one input, one purpose)'],
  },
  'one output, two devices': {
    change: [['open: io-2.do1', 'open: io-1.do3']],
    says: ['site.yaml:13:42 devices.light-1.red: io-1.do3 is already used by device arm-2 (open) (one output, one purpose)'],
  },
  'no such point': {
    change: [['approach: io-1.di1', 'approach: io-1.di9']],
    says: ['site.yaml:20:26 lanes.one.sensors.approach: io-1 has no input "di9" (it has di1 … di8)'],
  },
  'point of a device that is no board': {
    change: [['approach: io-1.di1', 'approach: cam-1.di1']],
    says: ['site.yaml:20:26 lanes.one.sensors.approach: cam-1 (mqtt-camera) has no inputs (there are: io-1, io-2)'],
  },
  'point of no device': {
    change: [['approach: io-1.di1', 'approach: io-3.di1']],
    says: ['site.yaml:20:26 lanes.one.sensors.approach: there is no device "io-3" (did you mean io-1?)'],
  },
  'output for an input': {
    change: [['approach: io-1.di1', 'approach: io-1.do7']],
    says: ['site.yaml:20:26 lanes.one.sensors.approach: io-1.do7 is an output; an input is needed here (it has di1 … di8)'],
  },
  'input for an output': {
    change: [['open: io-1.do1', 'open: io-1.di7']],
    says: ['site.yaml:11:48 devices.arm-1.open: io-1.di7 is an input; an output is needed here (it has do1 … do8)'],
  },
  'no presence sensor': {
    change: [['sensors: { presence: [io-2.di2] }', 'sensors: { approach: io-2.di2 }']],
    says: [
      'site.yaml:27:5 lanes.two.sensors.presence: is missing (Presence: Loops or photocells under the arm. The arm never closes while one is on or unknown)',
    ],
  },
  'presence does not keep the arm up': {
    change: [['presence: io-1.di2', 'presence: [io-1.di2, io-1.di3]']],
    says: [
      'site.yaml:20:46 lanes.one.sensors.presence: presence input io-1.di3 does not keep the arm from closing (add io-1.di3 to devices.arm-1.inhibit)',
    ],
  },
  'arm slower than its time-outs': {
    change: [['inhibit: [io-2.di2]', 'inhibit: [io-2.di2], travel_ms: 8500']],
    says: [
      'site.yaml:30:5 lanes.two.timing.arm_close_ms: 8000 ms is too short for the arm to close (arm-2 travels 8500 ms; at least 9500 ms)',
      'site.yaml:30:28 lanes.two.timing.arm_open_ms: 9000 ms is too short for the arm to open (arm-2 travels 8500 ms; at least 9500 ms)',
    ],
  },
  'authorisation shorter than the arm': {
    change: [['arm_open_ms: 9000', 'arm_open_ms: 9000, authorised_ms: 5000']],
    says: ['site.yaml:30:49 lanes.two.timing.authorised_ms: 5000 ms would lapse before the arm is open (arm_open_ms is 9000 ms)'],
  },
  'two lanes, one barrier': {
    change: [['    barrier: arm-2', '    barrier: arm-1']],
    says: [
      'site.yaml:11:107 warning: devices.arm-1.inhibit[0]: io-1.di2 is a sensor of lane one, but arm-1 is the barrier of lane two',
      'site.yaml:12:3 warning: devices.arm-2: is not used (no lane or device names it)',
      'site.yaml:27:26 lanes.two.sensors.presence: presence input io-2.di2 does not keep the arm from closing (add io-2.di2 to devices.arm-1.inhibit)',
      'site.yaml:28:14 lanes.two.barrier: arm-1 already belongs to lane one (each lane has its own)',
    ],
  },
  'two lanes, one camera': {
    change: [['rear: [cam-2]', 'rear: [cam-1]']],
    says: [
      'site.yaml:15:3 warning: devices.cam-2: is not used (no lane or device names it)',
      'site.yaml:29:23 lanes.two.cameras.rear[0]: cam-1 already belongs to lane one (each lane has its own)',
    ],
  },
  'broker open to all': {
    change: [['links:\n', 'broker: { embedded: { host: 0.0.0.0 } }\nlinks:\n']],
    says: ['site.yaml:5:29 broker.embedded.host: the broker would listen on 0.0.0.0 for anybody (add users, or listen on 127.0.0.1)'],
  },
  'broker neither embedded nor external': {
    change: [['links:\n', 'broker: { embeded: { port: 1884 } }\nlinks:\n']],
    says: ['site.yaml:5:11 broker.embeded: unknown key (did you mean embedded?)'],
  },
  'two broker users of one name': {
    change: [
      [
        'links:\n',
        'broker: { embedded: { users: [{ name: a, role: page, password: { env: A } }, { name: a, role: page, password: { env: A } }] } }\nlinks:\n',
      ],
    ],
    says: ['site.yaml:5:86 broker.embedded.users[1].name: there are two users named a'],
  },
  'broker and HTTP on one port': {
    change: [['links:\n', 'http: { port: 1883 }\nlinks:\n']],
    says: ['site.yaml:5:15 http.port: port 1883 is already taken by the broker (choose another)'],
  },
  'address with a password': {
    change: [['links:\n', 'uplink: { url: "mqtt://me:hunter2@host" }\nlinks:\n']],
    says: [
      'site.yaml:5:16 uplink.url: write mqtt://HOST:PORT, mqtts://HOST:PORT, ws://HOST/PATH or wss://HOST/PATH, without user name or password (it is text with a user name or password in it)',
    ],
  },
}
