// In place of react-custom-scrollbars-2, which the bundler cannot import as Grafana does: a picture needs no scrollbars.
import { Component, createRef } from 'react';

export default class Scrollbars extends Component {
  view = { scrollTop: 0, scrollLeft: 0 };
  container = createRef();

  getScrollTop() {
    return 0;
  }

  scrollTop() {}

  render() {
    return (
      <div ref={this.container} style={{ overflow: 'hidden', width: '100%', height: '100%' }}>
        {this.props.children}
      </div>
    );
  }
}
export { Scrollbars };
