// Places at which tests end the process by SIGKILL, to see that nothing hangs on what comes next. They exist
// in the copies of sources that tests/crash compiles with PQD_CRASH_POINTS; everywhere else each is nothing
// at all. Their table is tests/crash/crash_points.cpp.
#pragma once

#include <string_view>

#ifdef PQD_CRASH_POINTS
namespace pqd {
void crash_point_reached(std::string_view name);
}
#define PQD_CRASH_POINT(name) ::pqd::crash_point_reached(name)
#else
#define PQD_CRASH_POINT(name) static_cast<void>(0)
#endif
