# Sourced by scripts/check and scripts/test: runs named steps one after another, the later ones also when an earlier
# one fails, shows their output, keeps it in target/test-logs/NAME.log and prints how long each took.
# shellcheck shell=bash

readonly step_logs=target/test-logs
# Longest time for one step where nobody watches; at a terminal Ctrl-C does that.
readonly step_limit_s=2400
failed_steps=()
step_log=''

# run_step NAME COMMAND…: returns the command's own status and leaves the log's path in step_log.
run_step() {
  local name=$1 status=0 started=$SECONDS limit=()
  shift
  mkdir -p "$step_logs"
  step_log=$step_logs/$name.log
  [[ -t 1 ]] || limit=(timeout --kill-after=30 "$step_limit_s")
  printf '\n== %s: %s\n' "$name" "$*"
  "${limit[@]}" "$@" 2>&1 </dev/null | tee "$step_log" || status=$?
  if ((status == 0)); then
    printf '== %s: ok, %d s\n' "$name" $((SECONDS - started))
  else
    printf '== %s: FAILED with status %d, %d s\n' "$name" "$status" $((SECONDS - started))
    failed_steps+=("$name")
  fi
  return "$status"
}
