//! Public threads about tools of this kind, and what holds each here. Those about exceptions and lost findings that are
//! named are held alike, and so are those about what the scanner itself may do.

/// What holds a thread.
pub enum Held {
    /// A case: the control, and the case's name.
    Case(&'static str, &'static str),
    /// A test: where it stands, and its name.
    Test(&'static str, &'static str),
}
use Held::{Case, Test};

pub const THREADS: [(&str, &[Held]); 60] = [
    (
        "elastic/cloudbeat#631: a flag's value is looked for behind a blank only",
        &[
            Case("kubelet-read-only-port", "cloudbeat 631: another port by flag"),
            Test(
                "src/collect/arguments.rs",
                "cloudbeat_631_and_633_a_value_stands_behind_an_equals_sign_or_a_blank",
            ),
            Test(EKS, "cloudbeat_631_an_open_port_fails_however_the_flag_is_written"),
            EKS_NUMBERS,
        ],
    ),
    (
        "elastic/cloudbeat#633: the same",
        &[
            Case(
                "kubelet-iptables-util-chains",
                "cloudbeat 633: the flag switches them off, whatever the file says",
            ),
            Test(EKS, "cloudbeat_633_chains_that_are_off_fail_wherever_that_is_written"),
            EKS_NUMBERS,
        ],
    ),
    (
        "elastic/cloudbeat#635: fails a pod that drops all capabilities",
        &[
            Case("pod-capabilities", "cloudbeat 635: all capabilities dropped"),
            Case("pod-net-raw", "cloudbeat 635: every container drops ALL, and so NET_RAW"),
            EKS_NUMBERS,
        ],
    ),
    (
        "elastic/cloudbeat#2809: rules that were never judged appear after an upgrade",
        &[
            Test("src/evaluate/tally.rs", "a_rule_that_saw_nothing_is_not_applicable"),
            Test("tests/rules/numbers.rs", "every_recommendation_of_every_version_has_a_control"),
        ],
    ),
    (
        "elastic/cloudbeat#646, #111: one of five processes is judged, for a rule has a wrong name",
        &[
            Test(
                "src/collect/component.rs",
                "cloudbeat_646_every_component_is_known_by_the_name_it_runs_under",
            ),
            Test("tests/rules/field.rs", "cloudbeat_646_every_component_has_rules"),
        ],
    ),
    (
        "elastic/security-docs#4915: rules about PodSecurityPolicies see nothing from Kubernetes 1.25 on",
        &[Test("tests/rules/field.rs", "security_docs_4915_pods_are_judged_by_themselves")],
    ),
    (
        "rancher/security-scan#251: a rule of a role cannot be asked for verb and resource together",
        &[Case("rbac-read-secrets", "security-scan 251: verb and resource in different rules")],
    ),
    (
        "kubescape/kubescape#3069: a refused list counts as an empty one",
        &[
            Case("rbac-read-secrets", "kubescape 3069: a refusal to list roles is no empty role"),
            Case("pod-token-automount", "kubescape 3069: a refusal to list accounts is no missing account"),
            Test("src/evaluate/tests.rs", "a_refusal_never_turns_an_answer"),
        ],
    ),
    (
        "kubescape/kubescape#224: blames a role that cannot exec",
        &[Case("rbac-node-proxy", "kubescape 224: a role that cannot exec is not blamed")],
    ),
    (
        "kubescape/kubescape#1743: two commands, two verdicts on one object",
        &[Test("tests/cli/input.rs", "kubescape_1743_one_object_has_one_verdict_however_it_comes_in")],
    ),
    (
        "kubescape/kubescape#3551: a typo leaves out every control, and the gate opens",
        &[Test("tests/cli/input.rs", "kubescape_3551_a_typo_in_what_is_to_be_judged_opens_no_gate")],
    ),
    (
        "kubescape/kubescape#3084: a scan of roles runs a control about containers",
        &[Test("tests/rules/field.rs", "kubescape_3084_the_section_on_roles_judges_roles")],
    ),
    ("kubescape/kubescape#388, #358: controls of nodes are left out in silence", NO_NODE),
    ("kubescape/kubescape#1755: the same, of reports", NO_NODE),
    (
        "aquasecurity/trivy-operator#1306, deckhouse/deckhouse#7126: all checks of nodes pass without a node",
        NO_NODE,
    ),
    (
        "aquasecurity/trivy#6154: does not tell containers apart",
        &[Case("pod-privileged", "trivy 6154: two containers, the one that fails is named")],
    ),
    (
        "aquasecurity/trivy#4922, #9329, trivy-operator#1742: asks roles and ConfigMaps for a security context",
        &[Test("tests/rules/field.rs", "trivy_9329_only_pods_are_asked_for_a_security_context")],
    ),
    (
        "prowler-cloud/prowler#5823: takes wildcards of another API group for access to Secrets",
        &[Case("rbac-read-secrets", "prowler 5823: wildcard resources of another group")],
    ),
    (
        "prowler-cloud/prowler#4060: ends where a container has no capability list",
        &[
            Case("pod-capabilities", "prowler 4060: no capability list at all"),
            Case("pod-added-capabilities", "prowler 4060: no capability list at all"),
        ],
    ),
    (
        "DataDog/datadog-agent#24090: what could not be read turns a verdict",
        &[Test("src/evaluate/tests.rs", "a_refusal_never_turns_an_answer")],
    ),
    (
        "aquasecurity/kube-bench#1256: a relative --config is not followed",
        &[Test(
            "src/collect/node/tests/platforms/field.rs",
            "kube_bench_1256_a_relative_config_path_is_followed",
        )],
    ),
    (
        "aquasecurity/kube-bench#1364, #1242: flags without a file give another result",
        &[Test("src/collect/node/tests/platforms/field.rs", "kube_bench_1364_flags_alone_are_enough")],
    ),
    (
        "aquasecurity/kube-bench#852, #948: another file than the flag names is read",
        &[Test("src/collect/node/tests/platforms/field.rs", "kube_bench_852_the_file_of_the_flag_is_read")],
    ),
    (
        "aquasecurity/kube-bench#1973: drop-ins of k3s do not count",
        &[Test("src/collect/node/tests/platforms/k3s.rs", "kube_bench_1973_k3s_drop_ins_count")],
    ),
    (
        "aquasecurity/kube-bench#1351, #1843: hardened k3s and RKE2 fail",
        &[
            Test(
                "src/collect/node/tests/platforms/k3s.rs",
                "kube_bench_1351_a_hardened_server_is_found_whole_and_passes",
            ),
            Test(
                "src/collect/node/tests/platforms/rke2.rs",
                "kube_bench_1843_a_hardened_server_is_found_whole_and_its_etcd_as_a_user_of_its_own",
            ),
        ],
    ),
    (
        "aquasecurity/kube-bench#1598: the mode of the directory above a file",
        &[Test(
            "src/collect/node/tests/platforms/field.rs",
            "kube_bench_1598_a_file_is_judged_by_its_own_mode",
        )],
    ),
    (
        "aquasecurity/kube-bench#1853: the path is resolved wrongly",
        &[Test(
            "src/collect/node/tests/platforms/field.rs",
            "kube_bench_1853_a_wrong_mode_is_seen_through_a_link_and_a_relative_path",
        )],
    ),
    (
        "aquasecurity/kube-bench#699: no kubeconfig of kube-proxy is a failure",
        &[Test(
            "src/collect/node/tests/platforms/field.rs",
            "kube_bench_699_no_kubeconfig_of_kube_proxy_is_no_failure",
        )],
    ),
    (
        "aquasecurity/kube-bench#1435: OpenShift's kubelet is misread",
        &[Test(
            "src/collect/node/tests/platforms/managed.rs",
            "kube_bench_1435_openshift_s_kubelet_configuration_is_no_kubeconfig",
        )],
    ),
    (
        "aquasecurity/kube-bench#808, #887, #996, #1765: Bottlerocket's paths are unknown",
        &[Test(EKS, "kube_bench_1765_a_node_of_bottlerocket_is_found_and_judged")],
    ),
    (
        "rancher/cis-operator#225: a profile for EKS names files that the kubelet does not read",
        &[Test(EKS, "cis_operator_225_the_running_kubelet_s_own_flags_decide"), EKS_NUMBERS],
    ),
    (
        "elastic/cloudbeat#621: another flag that ends in -config is taken for the kubelet's",
        &[Test(EKS, "cloudbeat_621_the_credential_provider_s_file_is_not_the_kubelet_s")],
    ),
    (
        "aquasecurity/trivy#5638, trivy-checks#557, kube-bench#1620: the benchmark of EKS, and its new versions",
        &[Test("tests/rules/numbers.rs", "every_recommendation_of_every_version_has_a_control")],
    ),
    (
        "prowler-cloud/prowler#7619: whether images are scanned",
        &[
            Case("ecr-image-scan", "a registry rule"),
            Case("ecr-image-scan", "the repository's legacy setting, without effect under enhanced scanning"),
        ],
    ),
    (
        "aquasecurity/trivy-operator#1181: the kubelet's file is ignored",
        &[Test("src/collect/node/tests/platforms/field.rs", "trivy_operator_1181_the_kubelet_s_file_counts")],
    ),
    (
        "elastic/cloudbeat#2104: a process that ends takes other findings along",
        &[Test(
            "src/collect/tests/denials/threads.rs",
            "cloudbeat_2104_a_process_that_ends_takes_no_other_findings_along",
        )],
    ),
    (
        "elastic/cloudbeat#2008: an unreadable kubelet loses its findings",
        &[
            Test(
                "src/collect/tests/denials/threads.rs",
                "cloudbeat_2008_a_kubelet_that_cannot_be_read_is_an_error_for_each_rule",
            ),
            Test(EKS, "cloudbeat_2008_an_unreadable_kubelet_of_eks_is_an_error_for_each_control"),
        ],
    ),
    (
        "elastic/cloudbeat#175: an empty list of rules switches everything off",
        &[
            Test(
                "src/config/tests/fleet.rs",
                "cloudbeat_175_an_empty_list_of_rules_in_a_policy_switches_nothing_off",
            ),
            Test("src/rule/benchmark.rs", "cloudbeat_175_an_empty_list_of_rules_is_refused"),
        ],
    ),
    (
        "aquasecurity/kube-bench#564, #649, #287, #92, #271: skip checks and groups",
        &[
            Test("tests/cli/exceptions.rs", "kube_bench_564_an_excepted_failure_is_judged_and_fails_no_run"),
            Test("tests/cli/exceptions.rs", "kube_bench_92_what_is_not_there_needs_no_exception"),
            Test("src/exception/tests.rs", "kube_bench_649_a_group_of_rules_is_excepted_by_its_section"),
        ],
    ),
    (
        "aquasecurity/trivy-operator#1517, #1366, trivy#6758: exceptions by resource",
        &[
            Test(
                "src/exception/tests.rs",
                "trivy_operator_1517_files_and_processes_have_exceptions_by_path_and_component",
            ),
            Test("src/exception/tests.rs", "trivy_operator_1366_one_role_is_excepted_and_the_next_is_not"),
            Test("tests/cli/exceptions.rs", "trivy_6758_a_specific_resource_is_excepted_by_its_label"),
        ],
    ),
    (
        "aquasecurity/trivy-operator#2653: one bad exception stops everything",
        &[Test(
            "src/config/tests/exceptions.rs",
            "trivy_operator_2653_one_bad_exception_does_not_stop_the_rest",
        )],
    ),
    (
        "kubescape/helm-charts#875: exceptions that cannot be read do nothing",
        &[Test(
            "src/config/tests/exceptions.rs",
            "helm_charts_875_exceptions_that_cannot_be_read_are_an_error",
        )],
    ),
    (
        "kubescape/kubescape#3771: the file of exceptions is ignored",
        &[Test("tests/cli/exceptions.rs", "kubescape_3771_a_file_of_exceptions_is_honoured")],
    ),
    (
        "devantler-tech/platform#3085: exceptions that match nothing, for months",
        &[Test(
            "tests/cli/exceptions.rs",
            "platform_3085_an_exception_that_matches_nothing_is_warned_about_every_cycle",
        )],
    ),
    (
        "kubescape/kubescape#1314, #597: packs of exceptions, and a list of them",
        &[
            Test(
                "src/config/tests/exceptions.rs",
                "kubescape_1314_packs_of_exceptions_are_files_beside_the_configuration",
            ),
            Test(
                "tests/cli/exceptions.rs",
                "kubescape_597_the_report_lists_every_exception_and_what_became_of_it",
            ),
        ],
    ),
    (
        "aquasecurity/trivy-operator#187: the scanner's role writes, and reads secrets, everywhere",
        &[Test(NARROW, "trivy_operator_187_nothing_is_written_but_the_lease_and_no_secret_is_read_unasked")],
    ),
    (
        "aquasecurity/kube-bench#498, starboard#354: runs as root with everything",
        &[Test(
            "tests/live/deploy/pods.rs",
            "kube_bench_498_the_probe_has_one_capability_and_the_watcher_is_not_even_root",
        )],
    ),
    (
        "aquasecurity/kube-bench#519, starboard#580: OpenShift's SCCs refuse the pod",
        &[Test(
            "tests/live/deploy/pods.rs",
            "kube_bench_519_openshift_s_constraints_are_what_the_probe_asks_for",
        )],
    ),
    (
        "elastic/cloud-on-k8s#6476: deployed without the mounts and rights that it needs",
        &[
            Test(NARROW, "cloud_on_k8s_6476_every_kind_that_is_listed_is_granted_and_every_place_is_mounted"),
            Test(
                "tests/live/deploy/least.rs",
                "kubescape_3002_without_any_one_rule_what_is_said_of_it_is_an_error",
            ),
        ],
    ),
    (
        "kyverno/policy-reporter#1177: the reporter itself breaks 5.1.3",
        &[Test(NARROW, "policy_reporter_1177_no_wildcards")],
    ),
    (
        "elastic/cloudbeat#145, #150: each node sends the cluster's findings",
        &[Test(ELECTION, "cloudbeat_145_one_of_five_sends_the_clusters_findings")],
    ),
    (
        "elastic/cloudbeat#336: a Lease that was left behind costs a cycle",
        &[Test(ELECTION, "cloudbeat_336_a_stale_lease_costs_no_cycle")],
    ),
    (
        "elastic/cloudbeat#2578: a leader that crashes takes its cycle along",
        &[Test(ELECTION, "cloudbeat_2578_a_crash_of_the_leader_loses_no_cycle")],
    ),
    (
        "elastic/cloudbeat#2383: nothing shows any more that the election works",
        &[Test(ELECTION, "cloudbeat_2383_the_lease_passes_on_whatever_ended_its_holder")],
    ),
    (
        "elastic/beats#38543, #34998: who leads no more goes on reporting",
        &[Test(ELECTION, "beats_38543_an_ex_leader_reports_nothing")],
    ),
    (
        "elastic/cloudbeat#426, #471: nobody is told which permission is missing",
        &[Test("tests/live/denials.rs", "cloudbeat_426_and_471_a_right_that_is_missing_is_said_by_its_name")],
    ),
    (
        "elastic/cloudbeat#1753, #3100: a log full of \"operation not permitted\", and not of what",
        &[NOTHING_READABLE],
    ),
    (
        "kubescape/kubescape#3002, #55: which controls will be wrong with these credentials?",
        &[Test(
            "tests/live/deploy/least.rs",
            "kubescape_3002_without_any_one_rule_what_is_said_of_it_is_an_error",
        )],
    ),
    (
        "kubescape/kubescape#2010, #3884: what was not looked at looks like nothing found",
        &[Test(
            "tests/cli/monitoring.rs",
            "kubescape_2010_log_line_coverage_documents_and_metrics_say_the_same",
        )],
    ),
    ("kubescape/helm-charts#384: without a permission it crashes for ever", &[NOTHING_READABLE]),
];

/// Who may read nothing.
const NOTHING_READABLE: Held = Test(
    "tests/live/denials.rs",
    "cloudbeat_3100_and_helm_charts_384_who_may_read_nothing_goes_on_and_names_each_place",
);

/// Who collects what is asked of a cluster.
const ELECTION: &str = "tests/live/election.rs";
/// What is asked of a cluster.
const NARROW: &str = "tests/live/deploy/narrow.rs";
/// Threads about nodes of EKS.
const EKS: &str = "src/collect/node/tests/platforms/eks/threads.rs";
/// That the numbers of EKS are answered by the controls that hold the thread.
const EKS_NUMBERS: Held =
    Test("tests/rules/field.rs", "cloudbeat_631_633_and_635_eks_is_judged_by_the_same_controls");

const NO_NODE: &[Held] =
    &[Test("tests/cli/api.rs", "trivy_operator_1306_and_kubescape_388_what_no_node_was_asked_does_not_pass")];
