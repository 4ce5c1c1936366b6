// The components used alone: a program of one's own that makes a database on Google Cloud, and gives an application its Secret.

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { acceptSpec, DatabaseCluster, openPlatform, type ClusterSpecInput } from "../../components";

const project = new pulumi.Config("gcp").require("project");
const wanted: ClusterSpecInput = {
    name: "orders",
    engine: "postgresql",
    platform: "gke",
    gke: { project },
    zones: ["europe-west1-b", "europe-west1-c", "europe-west1-d"],
    machines: { type: "n2-standard-4" },
    storage: { size: "50Gi" },
};

// Network, Kubernetes, node pools: what the database stands on. Other programs may give it a provider of their own instead.
const kubernetes = openPlatform(acceptSpec(wanted), {});
const database = new DatabaseCluster("database", { ...wanted, kubernetes }, kubernetes.options);

// The application's side: it needs the connection string and nothing else.
const shop = new k8s.core.v1.Namespace("shop", { metadata: { name: "shop" } }, kubernetes.options);
new k8s.core.v1.Secret(
    "shop-database",
    {
        metadata: { name: "database", namespace: shop.metadata.name },
        stringData: { url: database.connection },
    },
    kubernetes.options,
);

export const cost = kubernetes.cost?.total;
export const kubeconfig = kubernetes.kubeconfig;
