/** Opens a WebSocket at this page's own address. */
import type { SocketLike } from "../wire/live-socket.js";

export function openBrowserSocket(pathAndQuery: string): SocketLike {
  const { protocol, host } = window.location;
  return new WebSocket(`${protocol === "https:" ? "wss:" : "ws:"}//${host}${pathAndQuery}`) as SocketLike;
}
