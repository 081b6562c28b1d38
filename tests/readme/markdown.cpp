#include "tests/readme/markdown.h"

#include <fstream>
#include <iterator>
#include <sstream>

namespace pqd::readme {

std::vector<Block> parse_blocks(const std::string& page) {
  std::vector<Block> blocks;
  bool inside = false;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      if (!inside) blocks.push_back({line.substr(3), {}});
      inside = !inside;
    } else if (inside) {
      blocks.back().lines.push_back(line);
    }
  }
  return blocks;
}

std::vector<std::string> local_links(const std::string& page) {
  std::vector<std::string> links;
  for (size_t at = page.find("]("); at != std::string::npos; at = page.find("](", at + 1)) {
    const size_t end = page.find(')', at);
    if (end == std::string::npos) break;
    std::string link = page.substr(at + 2, end - at - 2);
    if (!link.contains("://") && !link.starts_with('#')) links.push_back(link.substr(0, link.find('#')));
  }
  return links;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace pqd::readme
