// pqctl submit --ndjson FILE|-
//
// Lines are sent as fast as they are read; outcomes are asked for in the order of the lines, some thousands
// behind, so that one commit of the daemon takes many lines and the output still comes in order.
#include <unistd.h>

#include <boost/json/object.hpp>
#include <deque>

#include "tools/pqctl/commands.h"
#include "tools/pqctl/input.h"
#include "tools/pqctl/interrupt.h"
#include "tools/pqctl/json_text.h"
#include "tools/pqctl/line_reader.h"
#include "tools/pqctl/ndjson_line.h"
#include "tools/pqctl/progress.h"

namespace pqd::ctl {
namespace {

constexpr size_t kUndecidedMax = 8'192;
// A payload may grow six times by escapes.
constexpr size_t kLineBytesMax = 6 * limits::kPayloadBytesMax + 64 * 1024;
constexpr uint32_t kRoomTimeoutMs = 60'000;

class Stream {
 public:
  Stream(Context& context, Client& client, Milliseconds timeout)
      : context_(context), client_(client), timeout_(timeout), progress_(STDERR_FILENO) {}

  // False when there is no point in going on.
  bool take(LineReader::Line line, const SubmitFields& defaults);
  bool settle_all();
  int finish();

 private:
  struct Undecided {
    size_t line;
    Ticket ticket;
  };

  bool settle_ready();
  bool settle(size_t line, const Result<Outcome>& outcome);
  bool refused(size_t line, const Failure& failure, const Complaint& complaint);
  void count_refusal(size_t line, const Complaint& complaint);
  void settle_last();
  void bad_line(size_t line, const Complaint& complaint);
  void accepted(const Outcome& outcome);
  void show_progress();

  Context& context_;
  Client& client_;
  Milliseconds timeout_;
  Progress progress_;
  std::deque<Undecided> undecided_;
  uint64_t accepted_ = 0;
  uint64_t refused_ = 0;
  uint64_t bad_ = 0;
  int exit_ = kExitOk;
};

void Stream::bad_line(size_t line, const Complaint& complaint) {
  progress_.clear();
  context_.fail({complaint.exit, "line " + std::to_string(line) + ": " + complaint.text});
}

bool Stream::take(LineReader::Line line, const SubmitFields& defaults) {
  if (line.text.find_first_not_of(" \t\r") == std::string::npos && !line.too_long) return true;
  auto fields = line.too_long ? complain(Error::kPayloadTooLarge,
                                         "the line is over " + std::to_string(kLineBytesMax) + " bytes")
                              : parse_ndjson_line(line.text, defaults);
  if (!fields) {
    ++bad_;
    bad_line(line.number, fields.error());
    return true;
  }
  const auto ticket = client_.submit(fields->request());
  if (!ticket) return refused(line.number, ticket.error(), complaint_of(ticket.error()));
  undecided_.push_back({line.number, *ticket});
  if (undecided_.size() < kUndecidedMax) return true;
  const Undecided first = undecided_.front();
  undecided_.pop_front();
  return settle(first.line, client_.wait(first.ticket, timeout_)) && settle_ready();
}

bool Stream::settle_ready() {
  while (!undecided_.empty()) {
    const auto outcome = client_.poll(undecided_.front().ticket);
    if (outcome && !outcome->has_value()) return true;
    const size_t line = undecided_.front().line;
    undecided_.pop_front();
    if (!settle(line, outcome ? Result<Outcome>(**outcome) : std::unexpected(outcome.error()))) return false;
  }
  return true;
}

bool Stream::settle_all() {
  while (!undecided_.empty()) {
    const Undecided first = undecided_.front();
    undecided_.pop_front();
    if (!settle(first.line, client_.wait(first.ticket, timeout_))) return false;
  }
  return true;
}

bool Stream::settle(size_t line, const Result<Outcome>& outcome) {
  if (!outcome) return refused(line, outcome.error(), refusal_of(outcome.error()));
  accepted(*outcome);
  return true;
}

// What is wrong with a line's content makes it a bad line, whoever finds it.
void Stream::count_refusal(size_t line, const Complaint& complaint) {
  ++(complaint.exit == kExitBadData ? bad_ : refused_);
  if (exit_ == kExitOk) exit_ = complaint.exit;
  bad_line(line, complaint);
}

bool Stream::refused(size_t line, const Failure& failure, const Complaint& complaint) {
  count_refusal(line, complaint);
  if (!is_away(failure)) return true;
  settle_last();
  return false;
}

// No line is sent any more. What was sent may have been decided all the same, or be decided now: the daemon
// may be back. Once that is known not to be so, waits end at once.
void Stream::settle_last() {
  for (Milliseconds patience = timeout_; !undecided_.empty(); undecided_.pop_front()) {
    const auto outcome = client_.wait(undecided_.front().ticket, patience);
    if (outcome) {
      accepted(*outcome);
    } else if (is_away(outcome.error()) || outcome.error().error == Error::kRequestTimeout) {
      ++refused_;
      if (!is_away(outcome.error())) patience = Milliseconds(0);
    } else {
      count_refusal(undecided_.front().line, refusal_of(outcome.error()));
    }
  }
}

void Stream::accepted(const Outcome& outcome) {
  ++accepted_;
  const std::string id = outcome.id.to_string();
  if (context_.format() == Format::kTable) {
    context_.print(id + "\n");
  } else {
    boost::json::object object{{"requestId", id}, {"status", "pending"}};
    if (outcome.duplicate) {
      object = {{"requestId", id}, {"duplicate", true}};
      if (outcome.state) object["status"] = boost::json::string_view(state_name(*outcome.state));
    }
    context_.print(json_text(object, JsonStyle::kCompact) + "\n");
  }
  show_progress();
}

void Stream::show_progress() {
  if (!progress_.due()) return;
  progress_.show(std::to_string(accepted_) + " accepted, " + std::to_string(bad_ + refused_) + " refused, " +
                 std::to_string(undecided_.size()) + " under way");
}

int Stream::finish() {
  progress_.clear();
  if (bad_ + refused_ == 0) return exit_;
  context_.say(std::to_string(accepted_) + " accepted, " + std::to_string(bad_) + " bad lines, " +
               std::to_string(refused_) + " refused or undecided");
  return bad_ != 0 ? kExitBadData : exit_;
}

}  // namespace

int run_submit_ndjson(Context& context, const SubmitOptions& options) {
  SubmitFields defaults;
  for (const auto& [name, text] : options.fields) {
    if (auto set = set_field(defaults, name, text); !set) return context.fail(set.error());
  }
  const auto input = open_input(options.ndjson);
  if (!input) return context.fail(input.error());
  ConnectOptions connect_options = context.connect_options();
  connect_options.submit_timeout_ms = kRoomTimeoutMs;
  auto client = context.connect(connect_options);
  if (!client) return context.fail(client.error());
  const Interrupt interrupt;
  Stream stream(context, *client, Milliseconds(connect_options.answer_timeout_ms));
  LineReader reader(input->get(), kLineBytesMax, interrupt.fd());
  bool going_on = true;
  size_t last_line = 0;
  while (going_on) {
    // Who feeds us slowly wants to see what became of the lines so far.
    if (reader.would_block()) {
      going_on = stream.settle_all();
      context.flush();
      if (!going_on) break;
    }
    auto line = interrupt.asked() ? std::nullopt : reader.next();
    if (!line) break;
    last_line = line->number;
    going_on = stream.take(std::move(*line), defaults);
  }
  if (going_on) stream.settle_all();
  const int exit = stream.finish();
  if (interrupt.asked()) {
    context.say("stopped after line " + std::to_string(last_line) +
                ": what was submitted stays, what comes after it was not sent");
    return interrupt.exit();
  }
  if (reader.error() == 0) return exit;
  return context.fail({kExitBadData, "reading " + options.ndjson + " failed: " + errno_text(reader.error())});
}

}  // namespace pqd::ctl
