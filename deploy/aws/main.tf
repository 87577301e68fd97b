# Made from the table of calls that posturebeat makes; see docs/eks.md.

data "aws_iam_policy_document" "posturebeat" {
  statement {
    sid       = "PosturebeatReads"
    resources = ["*"]
    actions = [
      "ecr-public:DescribeRegistries",
      "ecr-public:DescribeRepositories",
      "ecr-public:GetRepositoryPolicy",
      "ecr:BatchGetRepositoryScanningConfiguration",
      "ecr:DescribeImages",
      "ecr:DescribeRepositories",
      "ecr:GetRegistryPolicy",
      "ecr:GetRegistryScanningConfiguration",
      "ecr:GetRepositoryPolicy",
      "eks:DescribeAddon",
      "eks:DescribeAddonVersions",
      "eks:DescribeCluster",
      "eks:DescribeFargateProfile",
      "eks:DescribeNodegroup",
      "eks:ListAccessEntries",
      "eks:ListAddons",
      "eks:ListAssociatedAccessPolicies",
      "eks:ListClusters",
      "eks:ListFargateProfiles",
      "eks:ListIdentityProviderConfigs",
      "eks:ListNodegroups",
      "eks:ListPodIdentityAssociations",
      "elasticloadbalancing:DescribeListeners",
      "elasticloadbalancing:DescribeLoadBalancerAttributes",
      "elasticloadbalancing:DescribeLoadBalancerPolicies",
      "elasticloadbalancing:DescribeLoadBalancers",
      "elasticloadbalancing:DescribeTags",
      "iam:GetPolicy",
      "iam:GetPolicyVersion",
      "iam:GetRolePolicy",
      "iam:ListAttachedRolePolicies",
      "iam:ListRolePolicies",
      "logs:DescribeLogGroups",
    ]
  }
}

resource "aws_iam_policy" "posturebeat" {
  name        = "posturebeat"
  description = "Reads for posturebeat"
  policy      = data.aws_iam_policy_document.posturebeat.json
}

data "aws_iam_policy_document" "posturebeat_pods" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "posturebeat" {
  name               = "posturebeat"
  description        = "posturebeat, by EKS Pod Identity"
  assume_role_policy = data.aws_iam_policy_document.posturebeat_pods.json
}

resource "aws_iam_role_policy_attachment" "posturebeat" {
  role       = aws_iam_role.posturebeat.name
  policy_arn = aws_iam_policy.posturebeat.arn
}

output "role_arn" {
  value = aws_iam_role.posturebeat.arn
}
