// The end of a process to which the kernel gives no memory or no thread any more: one line, which takes
// neither, and the exit. Nobody unwinds: what was half done stays as a kill would have left it.
#pragma once

namespace pqd {

// From now on in this process, for any thread of it. `process` is the name in the line and `outcome` its last
// sentence, both for ever; `status` is the exit status. A fork that calls it again says its own.
void end_without_memory(const char* process, const char* outcome, int status);

}  // namespace pqd
