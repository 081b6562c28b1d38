#include "tools/pqctl/table.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kWidthDefault = 80;
constexpr size_t kWidthMin = 20;

void trim_line_end(std::string& text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  text += '\n';
}

}  // namespace

void Table::add(std::vector<Cell> row) {
  for (Cell& cell : row) cell.text = one_line(cell.text);
  rows_.push_back(std::move(row));
}

std::vector<size_t> Table::widths(size_t width) const {
  std::vector<size_t> widths;
  size_t least = (columns_.size() - 1) * kGap;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t widest = columns_of(columns_[i].heading);
    for (const auto& row : rows_) widest = std::max(widest, columns_of(row[i].text));
    widths.push_back(widest);
    least += columns_[i].whole ? widest : std::min(widest, columns_[i].width_min);
  }
  // Rows that the terminal has to break whatever is cut may fill all the lines that they take.
  width *= std::max<size_t>((least + width - 1) / width, 1);
  size_t total = std::accumulate(widths.begin(), widths.end(), (columns_.size() - 1) * kGap);
  while (total > width) {
    size_t widest = columns_.size();
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].whole || widths[i] <= columns_[i].width_min) continue;
      if (widest == columns_.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == columns_.size()) break;
    --widths[widest];
    --total;
  }
  return widths;
}

std::string Table::render(size_t width, const Colour& colour) const {
  const std::vector<size_t> widths = this->widths(width);
  std::string text;
  const auto put_cell = [&](size_t i, std::string_view content, Tone tone) {
    const std::string cut = columns_[i].whole ? std::string(content) : shorten(content, widths[i]);
    const size_t wide = columns_of(cut);
    const std::string padding(widths[i] > wide ? widths[i] - wide : 0, ' ');
    if (columns_[i].right) text += padding;
    text += colour.paint(tone, cut);
    if (!columns_[i].right) text += padding;
    text.append(i + 1 < columns_.size() ? kGap : 0, ' ');
  };
  for (size_t i = 0; i < columns_.size(); ++i) put_cell(i, columns_[i].heading, Tone::kHeading);
  trim_line_end(text);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < columns_.size(); ++i) put_cell(i, row[i].text, row[i].tone);
    trim_line_end(text);
  }
  return text;
}

void Sheet::add(std::string label, std::string_view value, Tone tone) {
  if (!value.empty()) lines_.push_back({std::move(label), one_line(value), tone});
}

std::string Sheet::render(size_t width, const Colour& colour) const {
  size_t indent = 0;
  for (const Line& line : lines_) indent = std::max(indent, columns_of(line.label) + kGap);
  const size_t room = std::max(width, indent + kWidthMin) - indent;
  std::string text;
  for (const Line& line : lines_) {
    text += colour.paint(Tone::kFaint, line.label);
    text.append(indent - columns_of(line.label), ' ');
    std::string_view rest = line.value;
    for (bool first = true; first || !rest.empty(); first = false) {
      if (!first) text.append(indent, ' ');
      const size_t bytes = prefix_bytes(rest, room);
      text += colour.paint(line.tone, rest.substr(0, bytes));
      text += '\n';
      rest.remove_prefix(bytes);
    }
  }
  return text;
}

size_t output_columns(int fd) {
  size_t columns = 0;
  if (const char* wanted = std::getenv("COLUMNS"); wanted != nullptr) {
    std::from_chars(wanted, wanted + std::strlen(wanted), columns);
  }
  winsize size{};
  if (columns == 0 && ::ioctl(fd, TIOCGWINSZ, &size) == 0) columns = size.ws_col;
  return columns == 0 ? kWidthDefault : std::max(columns, kWidthMin);
}

}  // namespace pqd::ctl
