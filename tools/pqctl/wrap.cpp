#include "tools/pqctl/wrap.h"

#include <algorithm>

#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

// Where CLI11 begins what an option or command is about.
constexpr size_t kHelpColumn = 30;

std::string wrapped_help_line(std::string_view line, size_t columns) {
  if (columns_of(line) <= columns || line.starts_with("  pqctl ")) return std::string(line);
  if (!line.starts_with("  ") || columns <= kHelpColumn) return wrapped(line, 0, columns);
  return std::string(line.substr(0, kHelpColumn)) + wrapped(line.substr(kHelpColumn), kHelpColumn, columns);
}

}  // namespace

std::string wrapped(std::string_view text, size_t indent, size_t columns) {
  std::string out;
  size_t used = indent;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t width = columns_of(word);
    if (used > indent && used + 1 + width > columns) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (used > indent) {
      out += ' ';
      ++used;
    }
    out += word;
    used += width;
  }
  return out;
}

std::string wrapped_help(std::string_view page, size_t columns) {
  std::string out;
  while (!page.empty()) {
    const size_t end = std::min(page.find('\n'), page.size());
    out += wrapped_help_line(page.substr(0, end), columns) + "\n";
    page.remove_prefix(std::min(end + 1, page.size()));
  }
  return out;
}

}  // namespace pqd::ctl
