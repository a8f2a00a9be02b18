import { dataSource } from './dashboards/panels.ts'

/** Where Grafana asks Prometheus, among containers. */
export const composePrometheusUrl = 'http://prometheus:9090'
/** Where Grafana's container finds the dashboards. */
const dashboardFolder = '/etc/grafana/dashboards'

/** @param url of Prometheus, as Grafana reaches it. */
export function dataSources(url: string) {
  return {
    apiVersion: 1,
    datasources: [
      {
        name: 'Prometheus',
        uid: dataSource.uid,
        type: dataSource.type,
        access: 'proxy',
        url,
        isDefault: true,
        editable: false,
        jsonData: { httpMethod: 'POST', timeInterval: '15s' },
      },
    ],
  }
}

export function dashboardProviders() {
  return {
    apiVersion: 1,
    providers: [
      {
        name: 'tickertape',
        folder: 'Tickertape',
        type: 'file',
        disableDeletion: true,
        allowUiUpdates: false,
        options: { path: dashboardFolder },
      },
    ],
  }
}
