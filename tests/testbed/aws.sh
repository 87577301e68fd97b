# The part "aws": an emulator of the AWS API, plain HTTP, initially empty. Sourced after lib.sh.
# shellcheck shell=bash

start_aws() {
  # With the AWS managed policies, because node roles have some attached.
  start_daemon aws env MOTO_IAM_LOAD_MANAGED_POLICIES=true PYTHONUNBUFFERED=1 \
    "$AWS_HOME/bin/python" "$AWS_HOME/bin/moto_server" --host 127.0.0.1 --port "${AWS_URL##*:}"
  wait_for 60 "the AWS emulator" aws aws_answers
}

aws_answers() {
  in_ns curl --silent --fail --max-time 5 --output /dev/null --data 'Action=GetCallerIdentity&Version=2011-06-15' \
    --header "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sts/aws4_request" "$AWS_URL/"
}

aws_healthy() { alive aws && aws_answers; }

aws_up() {
  if aws_healthy; then return 0; fi
  aws_down
  start_aws
}

# The emulator keeps its data only in memory.
aws_down() { stop_daemon aws 10; }

aws_env() { say "export TESTBED_AWS_URL=$AWS_URL"; }

aws_describe() { say "$AWS_URL (pid $(<"$STATE/aws.pid"))"; }
