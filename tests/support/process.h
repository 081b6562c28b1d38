// What /proc says about processes that are not our own children. Any thread.
#pragma once

#include <sys/types.h>

#include <string_view>

namespace pqd::test {

// The child of `parent` with this name (as in /proc/PID/comm); 0 when it has none.
pid_t child_named(pid_t parent, std::string_view name);

// False also for a zombie.
bool is_alive(pid_t pid);

// True once every thread of it is stopped by SIGSTOP; false when it ends or the watchdog barks before.
bool becomes_stopped(pid_t pid);

// Open descriptors of this process.
size_t open_descriptors();
// Mappings of this process.
size_t mappings();

}  // namespace pqd::test
