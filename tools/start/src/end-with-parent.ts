/**
 * Preloaded into every program that `npm start` runs: its standard input is a pipe from there, which the
 * kernel closes when `npm start` ends in whatever way. Then the program drains as after SIGTERM, so that a
 * killed `npm start` leaves nothing behind.
 */
process.stdin.once('end', () => process.kill(process.pid, 'SIGTERM'))
process.stdin.resume()
// The pipe alone keeps no program running. Its type is that of a file or terminal as well, which have no unref.
if ('unref' in process.stdin) process.stdin.unref()
