/** A view that is drawn anew only when one of its properties is another one. */
import { Component, type ComponentChild, type FunctionComponent, h } from "preact";

export function memoView<Props extends object>(view: FunctionComponent<Props>): FunctionComponent<Props> {
  class Memo extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>): boolean {
      const names = new Set([...Object.keys(this.props), ...Object.keys(next)]) as Set<keyof Props>;
      return [...names].some((name) => (this.props as Props)[name] !== next[name]);
    }
    override render(): ComponentChild {
      return h(view, this.props as Props);
    }
  }
  return (props) => h(Memo, props);
}
