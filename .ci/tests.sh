# shellcheck shell=sh disable=SC2154 # $venv, $logs and $log are dev's
# Running tests and counting them. `dev` sources this; say, step and must are its own.

# ---- counting -----------------------------------------------------------------------------------
passed=0
failed=0
skipped=0

# count NAME, reading "PASSED FAILED SKIPPED": adds them up. A run that failed without saying which
# test did (it crashed, say) counts as one failed test.
count() {
    read -r p f s
    if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# ctest -V prints all that the tests print. A doctest program counts as its cases, any other (a
# lesson) as one test; a doctest program that died before its summary, as one that failed.
count_ctest() {
    awk '
        match($0, /^[0-9]+: \[doctest\] test cases:/) {
            test = $1 + 0
            split($0, part, "|")
            cases_passed[test] += part[2]; cases_failed[test] += part[3]; is_doctest[test] = 1
        }
        match($0, /Test +#[0-9]+: /) {
            test = substr($0, RSTART + 4, RLENGTH - 6); gsub(/[ #]/, "", test); test += 0
            good = / Passed /; skip = /Skipped/
            if (is_doctest[test]) {
                passed += cases_passed[test]; failed += cases_failed[test]
                if (!good && !cases_failed[test]) failed++
            } else if (good) passed++
            else if (skip) skipped++
            else failed++
        }
        END { print passed + 0, failed + 0, skipped + 0 }' "$log"
}

# The last line of pytest: "3 failed, 12 passed, 1 skipped, 1 error in 4.56s".
count_pytest() {
    awk '
        / in [0-9.]+s/ { line = $0 }
        END {
            n = split(line, word, /[ ,=]+/)
            for (i = 2; i <= n; i++) {
                if (word[i] == "passed") passed += word[i - 1]
                if (word[i] ~ /^(failed|errors?)$/) failed += word[i - 1]
                if (word[i] == "skipped") skipped += word[i - 1]
            }
            print passed + 0, failed + 0, skipped + 0
        }' "$log"
}

# close_tests LOG...: what was skipped, then the one closing line. Nothing run is a failure too.
close_tests() {
    [ "$skipped" -eq 0 ] || grep -h -E '[*]Skipped|^SKIPPED' "$@" || true
    say "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# ---- running ------------------------------------------------------------------------------------
# test_cpp PRESET [NAME...]: the doctest cases on each level of this processor, and the lessons.
test_cpp() {
    preset=$1
    shift
    TAPEGRAPH_TEST=$(printf '*%s*,' "$@") # read by tests/main.cc
    only=$(printf '|%s' "$@")
    [ $# -gt 0 ] && export TAPEGRAPH_TEST
    status=0
    step "ctest-$preset" "C++ tests on every level of this processor, and the lessons" \
        ctest --preset "$preset" -V -j 2 ${1+-R} ${1+"^cpp_$only"} || status=$?
    unset TAPEGRAPH_TEST
    count_ctest >"$logs/count"
    count <"$logs/count"
    if [ "$status" -ne 0 ]; then
        bad=$(awk '/\*\*\*/ && !/Skipped/ && match($0, /#[0-9]+:/) {
            print substr($0, RSTART + 1, RLENGTH - 2) }' "$log")
        for test in $bad; do grep "^$test: " "$log" | tail -n 60; done
        tail -n 20 "$log"
    fi
}

test_python() {
    words=$(printf ' or %s' "$@")
    status=0
    step pytest "Python tests, notebooks and gdb" \
        "$venv/bin/python" -m pytest -q -rs --continue-on-collection-errors \
        ${1+-k} ${1+"${words# or }"} || status=$?
    end_pytest "$@"
}

# Python itself knows nothing of sanitizers, so their libraries are loaded before it; what it leaks
# is its own business. Those tests are left out that train for minutes, start programs of their own,
# or read on purpose what another thread is writing. What the sanitizers print must not be captured.
test_python_asan() {
    words=$(printf ' or %s' "$@")
    libraries=
    for name in libasan.so libubsan.so libstdc++.so; do
        libraries="$libraries $("${CXX:-g++}" -print-file-name=$name)"
    done
    status=0
    step pytest-asan "Python tests under the sanitizers" \
        env LD_PRELOAD="$libraries" ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
        "$venv/bin/python" -m pytest -q -rs --continue-on-collection-errors tests/python \
        --capture=sys --ignore-glob '*_network.py' --ignore tests/python/test_demo.py \
        --ignore tests/python/test_twins.py \
        --deselect tests/python/test_threads.py::test_threads_that_write_the_same_tensor_do_not_end_the_process \
        ${1+-k} ${1+"${words# or }"} || status=$?
    end_pytest "$@"
}

# end_pytest [NAME...], after a run of these names, which may be none of Python's.
end_pytest() {
    if [ $# -gt 0 ] && [ "$status" -eq 5 ]; then status=0; fi
    count_pytest >"$logs/count"
    count <"$logs/count"
    [ "$status" -eq 0 ] || tail -n 80 "$log"
}

# test_peers [--peer-python PYTHON]: the recordings that the tests read, made again by PyTorch.
test_peers() {
    case "$#${1:-}" in
    0)
        setup_system
        peer=$root/build/peers/bin/python
        if ! "$peer" -c 'import numpy, torch' 2>/dev/null; then
            must peers "a venv in build/peers" python3 -m venv --clear "$root/build/peers"
            step peers-pip "pip installs PyTorch there" \
                "$peer" -m pip install --disable-pip-version-check --no-input \
                "torch==2.15.*" numpy ||
                fail "see $log; --peer-python PYTHON names one that has PyTorch"
        fi
        ;;
    2--peer-python) peer=$2 ;;
    *) fail "./dev test --peers [--peer-python PYTHON]" ;;
    esac
    python3 tests/peers.py "$peer"
}
