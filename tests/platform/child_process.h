// SPDX-License-Identifier: Apache-2.0
//
// Runs a part of a test in a child process, for what a process cannot undo: namespaces, system call
// filters. What the child finds out comes back as its exit status alone.
#ifndef GODWIT_TESTS_PLATFORM_CHILD_PROCESS_H_
#define GODWIT_TESTS_PLATFORM_CHILD_PROCESS_H_

#include <functional>

namespace godwit {

enum class ChildResult {
  kHolds = 0,
  kFails = 1,
  kRefused = 77,  // The system does not let the test happen.
};

// kFails too if the child dies.
ChildResult RunInChild(const std::function<ChildResult()>& body);

// For a child: into a new user namespace, in which it is root, and into new namespaces of these
// kinds (CLONE_NEW...). False if the system refuses.
bool EnterNamespaces(int kinds);

// For a child: from here on the machine has slept this much longer, as its clocks have it. False if
// the system refuses.
bool PretendSleep(int seconds);

}  // namespace godwit

#endif  // GODWIT_TESTS_PLATFORM_CHILD_PROCESS_H_
