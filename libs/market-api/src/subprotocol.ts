/**
 * The WebSocket subprotocol that the gateway chooses. A client that offers any must offer this one: browsers give
 * a handshake up whose answer names none of those that were offered. (This module has no schemas, so that a browser
 * can take it alone.)
 */
export const streamSubprotocol = 'tickertape.v1'

/**
 * Browsers can set no header on a WebSocket: they offer the key or token as a second subprotocol, which begins so
 * and which the gateway never chooses. `new WebSocket(url, ['tickertape.v1', 'bearer.tt_…'])`. Unlike an address,
 * that is in no log and no history.
 */
export const bearerSubprotocolPrefix = 'bearer.'
