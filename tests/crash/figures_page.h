// Figures that a campaign writes into a page, between marks that say which program wrote them.
#pragma once

#include <string>
#include <string_view>

namespace pqd::test {

// "2 CPUs, 2026-11-26, commit 4b4c51b": CPUs that there are, the date in UTC, and the state of the sources as
// PQD_MEASURED_COMMIT in the environment has it, which tests/run sets.
std::string measured_where();

// Replaces what stands between the marks of `name` in the page, each line indented by four. `program`: whose
// figures the marks say that they are. False: the page has no such marks.
bool write_figures(const std::string& path, std::string_view name, const std::string& figures,
                   std::string_view program = "crash");

}  // namespace pqd::test
