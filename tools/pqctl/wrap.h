// Text broken between words, so that its lines stay within a terminal.
#pragma once

#include <string>
#include <string_view>

namespace pqd::ctl {

// `text` stands at column `indent` of its first line and goes on there. A word that is wider is left whole.
// REQUIRES: one_line() text.
std::string wrapped(std::string_view text, size_t indent, size_t columns);

// The same for a page of help as the parser writes it; its examples stay as they are.
std::string wrapped_help(std::string_view page, size_t columns);

}  // namespace pqd::ctl
