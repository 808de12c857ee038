// Decision served: see AfterPage, of which this is the list of claims.
import { AfterPage } from './AfterPage';

export default function ClaimsPage() {
  return <AfterPage of="claims" />;
}
