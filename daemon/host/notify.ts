// notify.ts: what the rest of the daemon may use of the addon beside rings. Only daemon/host imports shm.
export { lockFile } from '../../shm/ring.js'
