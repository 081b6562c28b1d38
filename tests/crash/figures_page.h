// Figures that a campaign writes into a page, between marks that say which program wrote them.
#pragma once

#include <string>
#include <string_view>

namespace pqd::test {

// The date in UTC, as YYYY-MM-DD.
std::string today();

// Replaces what stands between the marks of `name` in the page, each line indented by four. False: the page
// has no such marks.
bool write_figures(const std::string& path, std::string_view name, const std::string& figures);

}  // namespace pqd::test
