//! Templates of pods, the default namespace, and values that are null.

use super::Judged;

#[test]
fn workloads_of_former_versions_of_operators_and_in_typed_lists_are_judged_by_their_templates() {
    let workloads = r"
apiVersion: extensions/v1beta1
kind: Deployment
metadata: {name: former, namespace: shop}
spec: {template: {spec: {hostIPC: true, containers: [{name: web, image: shop/web, securityContext: {privileged: true}}]}}}
---
apiVersion: batch/v1beta1
kind: CronJob
metadata: {name: nightly, namespace: shop}
spec: {jobTemplate: {spec: {template: {spec: {hostIPC: true, containers: [{name: web, image: shop/web, securityContext: {privileged: true}}]}}}}}
---
apiVersion: apps.openshift.io/v1
kind: DeploymentConfig
metadata: {name: openshift, namespace: shop}
spec: {template: {spec: {hostIPC: true, containers: [{name: web, image: shop/web, securityContext: {privileged: true}}]}}}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: {name: scaled, namespace: shop}
spec: {jobTargetRef: {template: {spec: {hostIPC: true, containers: [{name: web, image: shop/web, securityContext: {privileged: true}}]}}}}
---
apiVersion: apps.kruise.io/v1alpha1
kind: CloneSet
metadata: {name: clones, namespace: shop}
spec: {template: {spec: {hostIPC: true, containers: [{name: web, image: shop/web, securityContext: {privileged: true}}]}}}
---
apiVersion: apps/v1
kind: StatefulSetList
items:
- metadata: {name: listed, namespace: shop}
  spec: {template: {spec: {hostIPC: true, containers: [{name: web, image: shop/web, securityContext: {privileged: true}}]}}}
";
    let judged = Judged::of(&[("workloads.yaml", workloads)], &[]);
    for name in ["former", "nightly", "openshift", "scaled", "clones", "listed"] {
        judged.has(&[(name, "5.2.2", "failed"), (name, "5.2.4", "failed"), (name, "5.2.3", "passed")]);
    }
}

/// Whoever judges only what is beside them opens the gate for them.
#[test]
fn a_gate_stays_shut_for_containers_in_kinds_that_no_rule_knows() {
    let role = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"#;
    let kinds = r"
apiVersion: batch.volcano.sh/v1alpha1
kind: Job
metadata: {name: volcano, namespace: shop}
spec: {tasks: [{replicas: 2, template: {spec: {containers: [{name: a, image: a}]}}}]}
---
apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
metadata: {name: jobset, namespace: shop}
spec: {replicatedJobs: [{name: a, template: {spec: {template: {spec: {containers: [{name: a, image: a}]}}}}}]}
---
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: {name: training, namespace: shop}
spec: {pytorchReplicaSpecs: {Master: {template: {spec: {hostNetwork: true, containers: [{name: a, image: a}]}}}}}
---
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: workflow, namespace: shop}
spec: {workflowSpec: {templates: [{name: a, containerSet: {containers: [{name: a, image: a}]}}]}}
---
apiVersion: example.com/v1
kind: Fleet
metadata: {name: first, namespace: shop}
spec: {ships: {initContainers: [{name: a, image: a}]}}
---
apiVersion: v1
kind: Deployment
metadata: {name: no-group, namespace: shop}
spec: {template: {spec: {containers: [{name: a, image: a}]}}}
---
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: steps, namespace: shop}
spec: {steps: [{name: a, image: a, script: id}]}
---
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: sidecars, namespace: shop}
spec: {sidecars: [{name: a, image: a, securityContext: {privileged: true}}]}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: script, namespace: shop}
spec: {templates: [{name: a, script: {image: a, command: [sh], source: id}}]}
";
    let judged = Judged::of(&[("kinds.yaml", kinds), ("role.yaml", role)], &["--fail-on", "score:100"]);
    for name in
        ["volcano", "jobset", "training", "workflow", "first", "no-group", "steps", "sidecars", "script"]
    {
        judged.has(&[(name, "5.2.2", "error"), (name, "5.2.5", "error")]);
    }
    judged.has(&[("reader", "5.1.3", "passed")]);
    assert_eq!(judged.ran.code, Some(2), "{}", judged.ran.err);
}

#[test]
fn a_workload_in_default_is_judged_for_its_namespace_and_for_its_template() {
    let workloads = r"
apiVersion: batch/v1
kind: CronJob
metadata: {name: load}
spec:
  jobTemplate:
    spec:
      template:
        metadata: {namespace: shop}
        spec:
          hostIPC: true
          initContainers: [{name: a, image: a, securityContext: {privileged: true}}]
          containers: [{name: b, image: b}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: default}
spec: {template: {metadata: {namespace: shop}, spec: {hostNetwork: true, containers: [{name: a, image: a}]}}}
";
    Judged::of(&[("workloads.yaml", workloads)], &[]).has(&[
        ("load", "5.6.4", "needs_review"),
        ("load", "5.2.2", "failed"),
        ("load", "5.2.4", "failed"),
        ("load", "5.2.3", "passed"),
        ("db", "5.6.4", "failed"),
        ("db", "5.2.5", "failed"),
        ("db", "5.2.2", "passed"),
    ]);
}

#[test]
fn what_names_no_namespace_ends_up_in_default_whatever_its_kind() {
    let objects = r"
apiVersion: apps/v1
kind: Deployment
metadata: {name: null-namespace, namespace: null}
spec: {template: {spec: {containers: [{name: a, image: a}]}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: []
---
apiVersion: v1
kind: ServiceList
items: [{metadata: {name: front}}, {metadata: {name: kubernetes}}, {metadata: {name: back, namespace: shop}}]
";
    Judged::of(&[("objects.yaml", objects)], &[]).has(&[
        ("null-namespace", "5.6.4", "needs_review"),
        ("reader", "5.6.4", "needs_review"),
        ("front", "5.6.4", "needs_review"),
        ("kubernetes", "5.6.4", "passed"),
        ("back", "5.6.4", "not_applicable"),
    ]);
}

#[test]
fn every_kind_that_people_create_in_a_namespace_counts_in_default() {
    let created = [
        ("v1", "ConfigMap"),
        ("v1", "LimitRange"),
        ("v1", "PersistentVolumeClaim"),
        ("v1", "Pod"),
        ("v1", "PodTemplate"),
        ("v1", "ReplicationController"),
        ("v1", "ResourceQuota"),
        ("v1", "Secret"),
        ("v1", "Service"),
        ("v1", "ServiceAccount"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "ReplicaSet"),
        ("apps/v1", "StatefulSet"),
        ("autoscaling/v1", "HorizontalPodAutoscaler"),
        ("batch/v1", "CronJob"),
        ("batch/v1", "Job"),
        ("extensions/v1beta1", "Ingress"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("policy/v1beta1", "PodDisruptionBudget"),
        ("rbac.authorization.k8s.io/v1beta1", "Role"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("resource.k8s.io/v1beta1", "ResourceClaim"),
        ("resource.k8s.io/v1", "ResourceClaimTemplate"),
    ];
    // Kubernetes itself keeps them for other objects.
    let kept = [
        ("v1", "Endpoints"),
        ("v1", "Event"),
        ("apps/v1", "ControllerRevision"),
        ("coordination.k8s.io/v1", "Lease"),
        ("discovery.k8s.io/v1", "EndpointSlice"),
        ("storage.k8s.io/v1", "CSIStorageCapacity"),
    ];
    let object = |(version, kind): &(&str, &str)| {
        format!("---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {kind}, namespace: default}}\n")
    };
    let text: String = created.iter().chain(&kept).map(object).collect();
    let judged = Judged::of(&[("objects.yaml", &text)], &[]);
    for (_, kind) in created {
        judged.has(&[(kind, "5.6.4", "failed")]);
    }
    for (_, kind) in kept {
        judged.has(&[(kind, "5.6.4", "")]);
    }
}

#[test]
fn null_in_a_pod_is_a_key_left_out_and_no_container() {
    let pods = r"
apiVersion: v1
kind: Pod
metadata: {name: nulls, namespace: shop, labels: null, annotations: ~}
spec:
  hostPID: null
  securityContext:
  volumes: null
  initContainers: null
  ephemeralContainers:
  containers: [{name: a, image: a, securityContext: null, ports: null, env: null}]
---
apiVersion: v1
kind: Pod
metadata: {name: hole, namespace: shop}
spec: {containers: [null, {name: a, image: a}]}
";
    Judged::of(&[("pods.yaml", pods)], &[]).has(&[
        ("nulls", "5.2.2", "passed"),
        ("nulls", "5.2.3", "passed"),
        ("nulls", "5.2.11", "passed"),
        ("nulls", "5.2.12", "passed"),
        ("nulls", "5.4.1", "passed"),
        ("nulls", "5.2.7", "failed"),
        ("hole", "5.2.2", "error"),
    ]);
}

#[test]
fn a_sidecar_among_the_init_containers_of_a_template_counts() {
    let cron = r"
apiVersion: batch/v1
kind: CronJob
metadata: {name: load, namespace: shop}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers: [{name: load, image: shop/load}]
          initContainers:
          - name: proxy
            image: shop/proxy
            restartPolicy: Always
            securityContext: {privileged: true}
            ports: [{containerPort: 80, hostPort: 80}]
            env: [{name: KEY, valueFrom: {secretKeyRef: {name: proxy, key: key}}}]
";
    Judged::of(&[("cron.yaml", cron)], &[]).has(&[
        ("load", "5.2.2", "failed"),
        ("load", "5.2.12", "failed"),
        ("load", "5.4.1", "failed"),
        ("load", "5.2.3", "passed"),
    ]);
}
