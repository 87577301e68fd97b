"""The objects of a large cluster: 300 namespaces, 5,000 service accounts, 20,000 RBAC objects, 50,000 pods.

Each object depends only on its number, so every run fills the same cluster.
"""

NAMESPACES = 300
COUNTS = {
    "namespaces": NAMESPACES,
    "networkpolicies": 200,
    "serviceaccounts": 5_000,
    "clusterroles": 1_000,
    "roles": 8_000,
    "clusterrolebindings": 1_000,
    "rolebindings": 10_000,
    "pods": 50_000,
}
RBAC = "rbac.authorization.k8s.io/v1"
GROUPS = [("", "configmaps"), ("", "services"), ("", "pods"), ("apps", "deployments"), ("apps", "statefulsets"),
          ("batch", "jobs"), ("networking.k8s.io", "ingresses"), ("coordination.k8s.io", "leases"), ("", "events")]


def namespace(number):
    return f"team-{number % NAMESPACES:03}"


def meta(name, within=None, **more):
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "Helm", "team": f"t{len(name)}"}
    return {"name": name, "labels": labels, **({"namespace": within} if within else {}), **more}


def rules(number, most):
    """One to `most` rules; every fortieth role has one more, which grants too much."""
    verbs = ["get", "list", "watch", "create", "update", "patch", "delete"]
    few = [{"apiGroups": [GROUPS[(number + at) % 9][0]], "resources": [GROUPS[(number + at) % 9][1]],
            "verbs": verbs[: 1 + (number + at) % 7]} for at in range(1 + number % most)]
    if number % 40 == 0:
        few.append({"apiGroups": [""], "resources": ["secrets" if number % 80 else "*"], "verbs": ["get", "list"]})
    return few


def container(number, at):
    name = ["web", "sidecar", "metrics", "proxy", "cache", "worker", "agent", "logs"][at]
    port = 8000 + at
    probe = {"httpGet": {"path": "/healthz", "port": port, "scheme": "HTTP"}, "periodSeconds": 10, "timeoutSeconds": 3}
    return {
        "name": name,
        "image": f"registry.example.com/team-{number % 97}/{name}:1.{number % 31}.{at}",
        "env": [{"name": "MODE", "value": "production"}, {"name": "LOG_LEVEL", "value": "info"},
                {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "credentials", "key": name}}}],
        "ports": [{"containerPort": port, "name": "http", "protocol": "TCP"}],
        "livenessProbe": probe,
        "readinessProbe": probe,
        "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
        "securityContext": {"allowPrivilegeEscalation": number % 5 == 0, "privileged": number % 200 == 0,
                            "runAsNonRoot": number % 2 == 0, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"mountPath": "/etc/config", "name": "config", "readOnly": True},
                         {"mountPath": "/var/cache", "name": "cache"},
                         {"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "token", "readOnly": True}],
    }


def pod(number):
    """A pod with two containers; every third one has four, every tenth eight."""
    containers = 8 if number % 10 == 0 else 4 if number % 3 == 0 else 2
    token = {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"app-{number // 3}", "controller": True,
             "uid": f"00000000-0000-4000-8000-{number // 3:012}", "blockOwnerDeletion": True}
    about = {"annotations": {"checksum/config": f"{number:064x}", "prometheus.io/scrape": "true"}, "ownerReferences": [owner]}
    spec = {
        "containers": [container(number, at) for at in range(containers)],
        "nodeName": f"node-{number % 500}",
        "serviceAccountName": f"account-{number % COUNTS['serviceaccounts']}",
        "automountServiceAccountToken": number % 3 != 0,
        "hostNetwork": number % 250 == 0,
        "volumes": [{"name": "config", "configMap": {"name": "config"}}, {"name": "cache", "emptyDir": {}},
                    {"name": "token", "projected": {"defaultMode": 420, "sources": [token]}}],
    }
    if spec["hostNetwork"]:
        # The API server requires this on the host network.
        for each in spec["containers"]:
            each["ports"][0]["hostPort"] = each["ports"][0]["containerPort"]
    # A pod must be in the namespace of its service account.
    within = namespace(number % COUNTS["serviceaccounts"])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta(f"app-{number}", within, **about), "spec": spec}


def make(plural, number):
    """The API path to create an object at, and the object."""
    within = namespace(number)
    account = {"kind": "ServiceAccount", "name": f"account-{number % COUNTS['serviceaccounts']}",
               "namespace": namespace(number % COUNTS["serviceaccounts"])}
    if plural == "namespaces":
        return "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": meta(within)}
    if plural == "pods":
        made = pod(number)
        return f"/api/v1/namespaces/{made['metadata']['namespace']}/pods", made
    if plural == "serviceaccounts":
        made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta(f"account-{number}", within)}
        return f"/api/v1/namespaces/{within}/serviceaccounts", made
    if plural == "networkpolicies":
        made = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta(f"deny-{number}", within),
                "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}
        return f"/apis/networking.k8s.io/v1/namespaces/{within}/networkpolicies", made
    kind = {"roles": "Role", "clusterroles": "ClusterRole", "rolebindings": "RoleBinding"}.get(plural, "ClusterRoleBinding")
    inside = within if kind.startswith("Role") else None
    made = {"apiVersion": RBAC, "kind": kind, "metadata": meta(f"{kind.lower()}-{number}", inside)}
    if kind.endswith("Role"):
        made["rules"] = rules(number, 6 if inside else 20)
    else:
        # Three in five bindings in namespaces refer to a ClusterRole.
        role = "Role" if inside and number % 2 and number < COUNTS["roles"] else "ClusterRole"
        of = number if role == "Role" else number % COUNTS["clusterroles"]
        made["roleRef"] = {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": f"{role.lower()}-{of}"}
        made["subjects"] = [account]
    return f"/apis/{RBAC}{f'/namespaces/{inside}' if inside else ''}/{plural}", made
