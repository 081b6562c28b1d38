// What every command works with: where the daemon is, how to print, how long to wait. One thread.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "bindings/cpp/client.h"
#include "tools/pqctl/complaint.h"
#include "tools/pqctl/table.h"

namespace pqd::ctl {

enum class Format : uint8_t { kTable, kJson, kJsonl };

class Context {
 public:
  struct Settings {
    std::string socket{};
    Format format = Format::kTable;
    bool no_color = false;
    std::optional<Milliseconds> timeout{};  // --timeout
  };
  explicit Context(Settings settings);

  Format format() const { return settings_.format; }
  std::optional<Milliseconds> timeout() const { return settings_.timeout; }
  const Colour& colour() const { return colour_; }

  // Options that --socket and --timeout have gone into.
  ConnectOptions connect_options() const;
  Checked<Client> connect() const { return connect(connect_options()); }
  Checked<Client> connect(const ConnectOptions& options) const;

  // Data, on stdout. A reader that has gone away is not an error: printing goes on into nothing.
  void print(std::string_view text);
  // What somebody else wrote: byte by byte into a pipe or a file, harmless() on a terminal.
  void print_foreign(std::string_view text);
  void print(const Table& table);
  void print(const Sheet& sheet);
  // One object: indented, or in one line for jsonl.
  void print_json(const boost::json::value& value);
  // A list: an array for json, a line each for jsonl.
  void print_json_list(const boost::json::array& values);
  void flush();
  // Nobody reads stdout any more; known after a flush.
  bool reader_left() const { return reader_left_; }

  // Talk, on stderr, with the program's name in front. One harmless line, whatever it quotes.
  void say(std::string_view text);
  // Says it and returns its exit code.
  int fail(const Complaint& complaint);
  int fail(const Failure& failure) { return fail(complaint_of(failure)); }

  // Output that stdout did not take, other than because its reader left: the exit code to end with.
  int finish(int exit);

 private:
  void say_in(Tone tone, std::string_view text);

  Settings settings_;
  Colour colour_;
  Colour talk_colour_;
  std::string pending_;
  bool reader_left_ = false;
  int write_error_ = 0;
};

}  // namespace pqd::ctl
