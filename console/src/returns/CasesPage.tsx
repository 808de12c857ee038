// Decision served: see AfterPage, of which this is the list of cases.
import { AfterPage } from './AfterPage';

export default function CasesPage() {
  return <AfterPage of="cases" />;
}
