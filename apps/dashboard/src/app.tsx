export function App() {
  return <h1>Tickertape</h1>
}
