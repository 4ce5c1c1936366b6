// Names of Google's CSI driver for persistent disks, whose part the sandbox plays (kubernetes-sigs/
// gcp-compute-persistent-disk-csi-driver, pkg/constants, commit b560165).

export const DRIVER = "pd.csi.storage.gke.io";

/** The label of a node, and the key of a volume's affinity. */
export const TOPOLOGY_KEY = "topology.gke.io/zone";

/** GCE counts disks in whole GiB. */
export const GIB = 2 ** 30;
