// Nothing is left behind, however a run ends: the work is done in a child, and its parent waits, ends
// whatever the child has left, servers of other people included, and removes the one directory that all of it
// lives in.
#pragma once

#include <functional>
#include <string>

namespace pqd::bench {

// Runs `work` in a process of its own, with TMPDIR set to a new directory below `base` ("" = TMPDIR or /tmp),
// and returns its result; 128 + the signal's number when one has ended it. SIGINT and SIGTERM end the work,
// not the cleaning. 69: no directory or no process could be made. REQUIRES: one thread, no other children.
int kept(const std::string& base, const std::function<int()>& work);

}  // namespace pqd::bench
