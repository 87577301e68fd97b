//! Where each platform keeps the files of a role: (role, patterns), one table for each.
//!
//! Key material is one row, under its first role.

use super::PKI_DIR;

/// Rows of one platform.
pub type Table = &'static [(&'static str, &'static [&'static str])];

/// All of them.
pub const PLATFORMS: &[Table] = &[KUBEADM, KOPS, K3S, RKE2, MICROK8S, EKS, MANAGED, OTHERS];

const KUBEADM: Table = &[
    (
        "api-server-manifest",
        &["/etc/kubernetes/manifests/kube-apiserver.yaml", "/etc/kubernetes/manifests/kube-apiserver.yml"],
    ),
    (
        "controller-manager-manifest",
        &[
            "/etc/kubernetes/manifests/kube-controller-manager.yaml",
            "/etc/kubernetes/manifests/kube-controller-manager.yml",
        ],
    ),
    (
        "scheduler-manifest",
        &["/etc/kubernetes/manifests/kube-scheduler.yaml", "/etc/kubernetes/manifests/kube-scheduler.yml"],
    ),
    ("etcd-manifest", &["/etc/kubernetes/manifests/etcd.yaml", "/etc/kubernetes/manifests/etcd.yml"]),
    ("cni-config", &["/etc/cni/net.d/*", "/var/lib/cni/networks/**"]),
    ("etcd-data-dir", &["/var/lib/etcd"]),
    ("admin-kubeconfig", &["/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf"]),
    ("scheduler-kubeconfig", &["/etc/kubernetes/scheduler.conf"]),
    ("controller-manager-kubeconfig", &["/etc/kubernetes/controller-manager.conf"]),
    (PKI_DIR, &["/etc/kubernetes/pki", "/etc/kubernetes/pki/**"]),
    (
        "kubelet-service",
        &[
            "/etc/systemd/system/kubelet.service",
            "/etc/systemd/system/kubelet.service.d/*.conf",
            "/lib/systemd/system/kubelet.service",
            "/lib/systemd/system/kubelet.service.d/*.conf",
            "/usr/lib/systemd/system/kubelet.service",
            "/usr/lib/systemd/system/kubelet.service.d/*.conf",
        ],
    ),
    ("kubelet-kubeconfig", &["/etc/kubernetes/kubelet.conf"]),
    (
        "kubelet-config",
        &[
            "/var/lib/kubelet/config.yaml",
            "/var/lib/kubelet/config.yml",
            "/var/lib/kubelet/instance-config.yaml",
        ],
    ),
    ("proxy-kubeconfig", &["/etc/kubernetes/proxy.conf"]),
    ("kubelet-client-ca", &["/etc/kubernetes/pki/ca.crt"]),
];

/// The unit of its kubelet, and its CNI, lie where kubeadm has them.
const KOPS: Table = &[
    ("api-server-manifest", &["/etc/kubernetes/manifests/kube-apiserver.manifest"]),
    ("controller-manager-manifest", &["/etc/kubernetes/manifests/kube-controller-manager.manifest"]),
    ("scheduler-manifest", &["/etc/kubernetes/manifests/kube-scheduler.manifest"]),
    (
        "etcd-manifest",
        &["/etc/kubernetes/manifests/etcd.manifest", "/etc/kubernetes/manifests/etcd-manager-*.manifest"],
    ),
    ("etcd-data-dir", &["/mnt/master-vol-*"]),
    ("scheduler-kubeconfig", &["/var/lib/kube-scheduler/kubeconfig"]),
    ("controller-manager-kubeconfig", &["/var/lib/kube-controller-manager/kubeconfig"]),
    (PKI_DIR, &["/srv/kubernetes", "/srv/kubernetes/**"]),
    ("kubelet-kubeconfig", &["/var/lib/kubelet/kubeconfig"]),
    ("kubelet-config", &["/var/lib/kubelet/kubelet.conf"]),
    ("proxy-kubeconfig", &["/var/lib/kube-proxy/kubeconfig"]),
    ("kubelet-client-ca", &["/srv/kubernetes/ca.crt"]),
];

/// One process holds all components: there are no manifests but etcd's configuration, and no unit of a
/// kubelet.
const K3S: Table = &[
    ("etcd-manifest", &["/var/lib/rancher/k3s/server/db/etcd/config"]),
    ("cni-config", &["/var/lib/rancher/k3s/agent/etc/cni/net.d/*"]),
    ("etcd-data-dir", &["/var/lib/rancher/k3s/server/db/etcd"]),
    ("admin-kubeconfig", &["/etc/rancher/k3s/k3s.yaml", "/var/lib/rancher/k3s/server/cred/admin.kubeconfig"]),
    ("scheduler-kubeconfig", &["/var/lib/rancher/k3s/server/cred/scheduler.kubeconfig"]),
    ("controller-manager-kubeconfig", &["/var/lib/rancher/k3s/server/cred/controller.kubeconfig"]),
    (PKI_DIR, &["/var/lib/rancher/k3s/server/tls", "/var/lib/rancher/k3s/server/tls/**"]),
    ("kubelet-kubeconfig", &["/var/lib/rancher/k3s/agent/kubelet.kubeconfig"]),
    ("kubelet-config", &["/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/*.conf"]),
    ("proxy-kubeconfig", &["/var/lib/rancher/k3s/agent/kubeproxy.kubeconfig"]),
    ("kubelet-client-ca", &["/var/lib/rancher/k3s/agent/client-ca.crt"]),
];

/// Its kubelet is a child of rke2, without a unit of its own.
const RKE2: Table = &[
    ("api-server-manifest", &["/var/lib/rancher/rke2/agent/pod-manifests/kube-apiserver.yaml"]),
    (
        "controller-manager-manifest",
        &["/var/lib/rancher/rke2/agent/pod-manifests/kube-controller-manager.yaml"],
    ),
    ("scheduler-manifest", &["/var/lib/rancher/rke2/agent/pod-manifests/kube-scheduler.yaml"]),
    (
        "etcd-manifest",
        &[
            "/var/lib/rancher/rke2/agent/pod-manifests/etcd.yaml",
            "/var/lib/rancher/rke2/server/db/etcd/config",
        ],
    ),
    ("etcd-data-dir", &["/var/lib/rancher/rke2/server/db/etcd"]),
    (
        "admin-kubeconfig",
        &["/etc/rancher/rke2/rke2.yaml", "/var/lib/rancher/rke2/server/cred/admin.kubeconfig"],
    ),
    ("scheduler-kubeconfig", &["/var/lib/rancher/rke2/server/cred/scheduler.kubeconfig"]),
    ("controller-manager-kubeconfig", &["/var/lib/rancher/rke2/server/cred/controller.kubeconfig"]),
    (PKI_DIR, &["/var/lib/rancher/rke2/server/tls", "/var/lib/rancher/rke2/server/tls/**"]),
    ("kubelet-kubeconfig", &["/var/lib/rancher/rke2/agent/kubelet.kubeconfig"]),
    ("kubelet-config", &["/var/lib/rancher/rke2/agent/etc/kubelet.conf.d/*.conf"]),
    ("proxy-kubeconfig", &["/var/lib/rancher/rke2/agent/kubeproxy.kubeconfig"]),
    ("kubelet-client-ca", &["/var/lib/rancher/rke2/agent/client-ca.crt"]),
];

/// Files of arguments stand in the place of manifests. Its store is dqlite, so there is no etcd.
const MICROK8S: Table = &[
    ("api-server-manifest", &["/var/snap/microk8s/current/args/kube-apiserver"]),
    ("controller-manager-manifest", &["/var/snap/microk8s/current/args/kube-controller-manager"]),
    ("scheduler-manifest", &["/var/snap/microk8s/current/args/kube-scheduler"]),
    ("etcd-manifest", &["/var/snap/microk8s/current/args/etcd"]),
    ("cni-config", &["/var/snap/microk8s/current/args/cni-network/*"]),
    ("admin-kubeconfig", &["/var/snap/microk8s/current/credentials/client.config"]),
    ("scheduler-kubeconfig", &["/var/snap/microk8s/current/credentials/scheduler.config"]),
    ("controller-manager-kubeconfig", &["/var/snap/microk8s/current/credentials/controller.config"]),
    (PKI_DIR, &["/var/snap/microk8s/current/certs", "/var/snap/microk8s/current/certs/**"]),
    (
        "kubelet-service",
        &[
            "/etc/systemd/system/snap.microk8s.daemon-kubelet.service",
            "/etc/systemd/system/snap.microk8s.daemon-kubelite.service",
        ],
    ),
    ("kubelet-kubeconfig", &["/var/snap/microk8s/current/credentials/kubelet.config"]),
    ("kubelet-config", &["/var/snap/microk8s/current/args/kubelet"]),
    ("proxy-kubeconfig", &["/var/snap/microk8s/current/credentials/proxy.config"]),
    ("kubelet-client-ca", &["/var/snap/microk8s/current/certs/ca.crt"]),
];

/// Nodes of EKS: Amazon Linux 2, Amazon Linux 2023, Bottlerocket. The first two have their kubeconfig where kops has
/// its own, all three their units, CNI and CA where kubeadm has them.
const EKS: Table = &[
    (
        "kubelet-config",
        &[
            "/etc/kubernetes/kubelet/kubelet-config.json",
            "/etc/kubernetes/kubelet/config.json",
            "/etc/kubernetes/kubelet/config.json.d/*.conf",
            "/etc/kubernetes/kubelet/config",
            "/etc/kubernetes/kubelet/config.d/*.conf",
        ],
    ),
    ("kubelet-kubeconfig", &["/etc/kubernetes/kubelet/kubeconfig"]),
];

/// Nodes of GKE, AKS and OpenShift. Their kubeconfigs lie where kops has its own.
const MANAGED: Table = &[
    (
        "kubelet-config",
        &[
            "/home/kubernetes/kubelet-config.yaml",
            "/etc/default/kubeletconfig.json",
            "/etc/default/kubelet",
            "/var/data/kubelet/config.json",
        ],
    ),
    ("kubelet-kubeconfig", &["/etc/kubernetes/kubeconfig"]),
    ("kubelet-client-ca", &["/etc/kubernetes/kubelet-ca.crt"]),
];

/// Talos, snaps of single components, installations by hand.
const OTHERS: Table = &[
    (
        "api-server-manifest",
        &["/etc/kubernetes/manifests/talos-kube-apiserver.yaml", "/var/snap/kube-apiserver/current/args"],
    ),
    (
        "controller-manager-manifest",
        &[
            "/etc/kubernetes/manifests/talos-kube-controller-manager.yaml",
            "/var/snap/kube-controller-manager/current/args",
        ],
    ),
    (
        "scheduler-manifest",
        &["/etc/kubernetes/manifests/talos-kube-scheduler.yaml", "/var/snap/kube-scheduler/current/args"],
    ),
    (
        "etcd-manifest",
        &[
            "/var/snap/etcd/common/etcd.conf.yml",
            "/var/snap/etcd/common/etcd.conf.yaml",
            "/etc/etcd/etcd.conf",
            "/usr/lib/systemd/system/etcd.service",
        ],
    ),
    ("scheduler-kubeconfig", &["/system/secrets/kubernetes/kube-scheduler/kubeconfig"]),
    ("controller-manager-kubeconfig", &["/system/secrets/kubernetes/kube-controller-manager/kubeconfig"]),
    (
        PKI_DIR,
        &[
            "/etc/kubernetes/ssl",
            "/etc/kubernetes/ssl/**",
            "/etc/kubernetes/certs",
            "/etc/kubernetes/certs/**",
        ],
    ),
    ("kubelet-service", &["/etc/systemd/system/snap.kubelet.daemon.service"]),
    (
        "kubelet-kubeconfig",
        &[
            "/etc/kubernetes/kubelet-kubeconfig.conf",
            "/etc/kubernetes/kubelet-kubeconfig",
            "/etc/kubernetes/ssl/kubecfg-kube-node.yaml",
            "/etc/kubernetes/kubeconfig-kubelet",
        ],
    ),
    (
        "kubelet-config",
        &[
            "/etc/kubernetes/kubelet-config.yaml",
            "/etc/kubernetes/kubelet.yaml",
            "/var/snap/kubelet/current/args",
        ],
    ),
    ("proxy-kubeconfig", &["/etc/kubernetes/ssl/kubecfg-kube-proxy.yaml"]),
    ("kubelet-client-ca", &["/etc/kubernetes/certs/ca.crt", "/etc/kubernetes/cert/ca.pem"]),
];
