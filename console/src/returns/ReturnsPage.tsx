// Decision served: see AfterPage, of which this is the list of returns.
import { AfterPage } from './AfterPage';

export default function ReturnsPage() {
  return <AfterPage of="returns" />;
}
