// The fenced blocks of a Markdown page.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pqd::readme {

struct Block {
  std::string language;  // what stands behind the opening fence
  std::vector<std::string> lines;
};

std::vector<Block> parse_blocks(const std::string& page);
// Where its links lead, without those to other hosts and to places within the page.
std::vector<std::string> local_links(const std::string& page);

std::string read_file(const std::filesystem::path& path);

}  // namespace pqd::readme
