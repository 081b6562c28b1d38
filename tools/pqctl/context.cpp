#include "tools/pqctl/context.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tools/pqctl/json_text.h"
#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

constexpr size_t kPendingBytesMax = 64 * 1024;
// More than any sentence of ours; a command's last words may be longer.
constexpr size_t kTalkColumnsMax = 2'000;

// 0, or the errno that ended it.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return 0;
}

uint32_t as_timeout_ms(Milliseconds timeout) {
  return static_cast<uint32_t>(std::clamp<int64_t>(timeout.count(), 1, INT32_MAX));
}

}  // namespace

Context::Context(Settings settings)
    : settings_(std::move(settings)),
      colour_(Colour::for_fd(STDOUT_FILENO, settings_.no_color)),
      talk_colour_(Colour::for_fd(STDERR_FILENO, settings_.no_color)) {}

ConnectOptions Context::connect_options() const {
  ConnectOptions options;
  options.socket = settings_.socket;
  options.name = "pqctl";
  if (settings_.timeout) {
    const uint32_t timeout_ms = as_timeout_ms(*settings_.timeout);
    options.connect_timeout_ms = std::min(options.connect_timeout_ms, timeout_ms);
    options.answer_timeout_ms = timeout_ms;
    options.reconnect_timeout_ms = timeout_ms;
  }
  return options;
}

Checked<Client> Context::connect(const ConnectOptions& options) const {
  auto client = Client::connect(options);
  if (!client) return complain(client.error());
  return std::move(*client);
}

void Context::print(std::string_view text) {
  if (reader_left_ || write_error_ != 0) return;
  pending_ += text;
  if (pending_.size() >= kPendingBytesMax) flush();
}

void Context::print_foreign(std::string_view text) {
  if (::isatty(STDOUT_FILENO) != 1) return print(text);
  print(harmless(text));
}

void Context::print(const Table& table) { print(table.render(output_columns(STDOUT_FILENO), colour_)); }
void Context::print(const Sheet& sheet) { print(sheet.render(output_columns(STDOUT_FILENO), colour_)); }

void Context::print_json(const boost::json::value& value) {
  print(json_text(value, format() == Format::kJson ? JsonStyle::kIndented : JsonStyle::kCompact));
  print("\n");
}

void Context::print_json_list(const boost::json::array& values) {
  if (format() == Format::kJson) return print_json(boost::json::value(values));
  for (const boost::json::value& value : values) print_json(value);
}

void Context::flush() {
  if (!reader_left_ && write_error_ == 0) {
    const int error = write_all(STDOUT_FILENO, pending_);
    if (error == EPIPE) reader_left_ = true;
    if (error != 0 && error != EPIPE) write_error_ = error;
  }
  pending_.clear();
}

void Context::say(std::string_view text) { say_in(Tone::kPlain, text); }

void Context::say_in(Tone tone, std::string_view text) {
  flush();
  const std::string harmless = shorten(one_line(text), kTalkColumnsMax);
  write_all(STDERR_FILENO, "pqctl: " + talk_colour_.paint(tone, harmless) + "\n");
}

int Context::fail(const Complaint& complaint) {
  say_in(Tone::kBad, complaint.text);
  return complaint.exit;
}

int Context::finish(int exit) {
  flush();
  if (write_error_ == 0) return exit;
  say("the output could not be written: " + errno_text(write_error_));
  return exit == kExitOk ? kExitFailed : exit;
}

}  // namespace pqd::ctl
