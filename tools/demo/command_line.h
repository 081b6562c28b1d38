// What pqd-demo is asked for: by a person, or by itself for the processes that it starts.
#pragma once

#include <expected>
#include <string>
#include <variant>
#include <vector>

#include "tools/demo/producer.h"

namespace pqd::demo {

struct DemoOptions {
  std::vector<std::string> roots{"/usr/share/doc", "/usr/include"};
  size_t limit = 0;   // of files; 0 = all
  bool keep = false;  // the directory of the run
  bool help = false;
};
struct ConsumerOptions {
  std::string socket;
};
using Role = std::variant<DemoOptions, ProducerOptions, ConsumerOptions>;

// The error is a sentence.
std::expected<Role, std::string> parse_command_line(const std::vector<std::string>& words);

// The words that parse_command_line() reads back.
std::vector<std::string> words_of(const ProducerOptions& options);
std::vector<std::string> words_of(const ConsumerOptions& options);

std::string_view help_text();

}  // namespace pqd::demo
