/** Draws a view anew when a store changes. */
import { useEffect, useState } from "preact/hooks";
import type { Store } from "../state/store.js";

export function useStore<State>(store: Store<State>): State {
  const [state, setState] = useState(store.get());
  useEffect(() => {
    setState(store.get());
    return store.subscribe(() => setState(store.get()));
  }, [store]);
  return state;
}
