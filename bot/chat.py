"""The chat itself: one line in, something shown. Where lines come from is in `bot.chat_input`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.text import Text

from bot.chat_commands import COMMANDS, KEYS
from bot.customer import Customer, known_customer
from bot.dialogue import ALTERNATIVES, LONGEST_MESSAGE, Dialogue, read_message
from bot.feedback import keep_or_say
from bot.forgetting import Forgetting
from bot.handover import ASKED_FOR, NEAREST, handover_summary
from bot.output import plain, print_json
from bot.present import alternatives_view, answer_view, mood_view, notice, picked_view, warning_view
from bot.reports import answer_json, candidate_json, why_json
from bot.transcript import SAY_WHERE, save_transcript
from bot.why_view import why_view
from bot.withdrawing import why_gone
from conversations.desk import at_home
from conversations.errors import AttendantError
from conversations.model import Turn, Verdict

if TYPE_CHECKING:
    from bot.answers import Answer
    from bot.feedback import FeedbackBook
    from bot.pipeline import Pipeline

_COMMAND = re.compile(r"/([A-Za-z]+)(?:\s|$)")


class Chat:
    """Answers messages and obeys commands; keeps the dialogue."""

    def __init__(
        self,
        pipeline: Pipeline,
        console: Console,
        book: FeedbackBook,
        as_json: bool = False,
        customer: Customer | None = None,
    ) -> None:
        """Makes a chat.

        Args:
            pipeline: what finds and weighs the answers.
            console: where everything is shown.
            book: where /good and /bad are kept.
            as_json: whether each answer is printed to stdout as a line of JSON instead.
            customer: who asks, where that is known.
        """
        self.pipeline = pipeline
        self.console = console
        self.dialogue = Dialogue(customer=customer, threshold=pipeline.mood_threshold)
        self._book = book
        self._as_json = as_json
        self._forgetting = Forgetting("begin with attendant chat --customer ID", self.tell)

    def take(self, line: str) -> bool:
        """Handles one line of the person at the keyboard.

        Returns:
            False when the chat is over.
        """
        try:
            return self._take(line)
        except AttendantError as error:
            # The desk can change beneath a running chat; that is no reason to lose the dialogue.
            self.tell(str(error))
            return True

    def tell(self, text: str) -> None:
        """Shows a line from the program itself."""
        self._show(notice(text))

    def show_alternatives(self) -> None:
        """Lists the other answers to the last question, numbered."""
        self._leave_out_gone()
        answer, choices = self.dialogue.answer, self.dialogue.choices()[:ALTERNATIVES]
        if answer is None or not choices:
            self.tell("There is no other answer to show." if answer else "Nothing was asked yet.")
            return
        self.dialogue.listed = len(choices)
        if self._as_json:
            listed = [
                {"number": number, **candidate_json(one, answer.chance(one))} for number, one in enumerate(choices, 1)
            ]
            print_json({"alternatives": listed})
            return
        self._show(alternatives_view(choices, answer, self.pipeline))
        self.tell("Type a number to give that answer instead.")

    def _take(self, line: str) -> bool:
        text, was_cut = read_message(line)
        if not text:
            if line.strip():
                self.tell("There was nothing to read in this message.")
            return True
        called = _COMMAND.match(text)
        name = called[1].lower() if called else ""
        self._forgetting.hear(name)
        if called:
            if name in COMMANDS:
                return self._obey(name, text[called.end() :].strip())
            if called.end() == len(text):
                self.tell(f"There is no command /{name}. /help lists all.")
                return True
        if self.dialogue.listed and re.fullmatch(r"[0-9]{1,2}", text):
            self._pick(int(text))
            return True
        if was_cut:
            self.tell(f"Only the first {LONGEST_MESSAGE:,} characters of this message are read.")
        self._answer(self.dialogue.with_question(text))
        return True

    def _answer(self, turns: tuple[Turn, ...], heading: str = "") -> None:
        """Answers; the heading stands before an answer, not before a question back or a hand-over."""
        found = self.dialogue.ask(self.pipeline, turns)
        known, mood = self.dialogue.warnings, self.dialogue.mood
        # Only now: Ctrl-C while the answer is sought leaves the dialogue as it was.
        answer = self.dialogue.record(turns, found)
        warnings = [warning for warning in self.dialogue.raised if warning not in known]
        wants_person = any(warning.kind == "person" for warning in warnings)
        if answer.decision == "ask":
            self.dialogue.listed = 2
        if self._as_json:
            self._print_answer(answer)
            if wants_person:
                self._keep_hand_over()
            return
        if heading and answer.decision == "answer":
            self.tell(heading)
        self._show(answer_view(answer, self.pipeline, self.console))
        # On a terminal it stands below the line that is typed.
        if not self.console.is_terminal and self.dialogue.mood != mood and self.dialogue.mood.is_telling:
            self._show(mood_view(self.dialogue.mood))
        for warning in warnings:
            self._show(warning_view(warning))
        if wants_person:
            self._hand_over()
            return
        if warnings and answer.decision != "handoff":
            self.tell("A person may do better here: /handoff shows a summary for the agent.")
        if answer.decision == "ask":
            self.tell("Type 1 or 2, or say more; /handoff if neither.")
        elif answer.decision == "handoff":
            self.tell("/alt shows the nearest past answers, /handoff a summary for the agent.")

    def _print_answer(self, answer: Answer) -> None:
        """Prints an answer for a program; with a hand-over goes its summary."""
        summary = {"summary": handover_summary(self.dialogue)} if answer.decision == "handoff" else {}
        print_json(answer_json(answer, self.dialogue.raised) | summary)

    def _pick(self, number: int) -> None:
        answer, choices = self.dialogue.answer, self.dialogue.choices()[: self.dialogue.listed]
        if answer is None or not 1 <= number <= len(choices):
            self.tell(f"Type a number from 1 to {len(choices)}, or a message.")
            return
        choice = choices[number - 1]
        self._book.check(choice.answer_id, "picked")
        before = replace(self.dialogue)
        self.dialogue.pick(choice)
        if self._as_json:
            picked = candidate_json(choice, answer.chance(choice))
            print_json({"picked": number, "decision": "answer", "answer": choice.text, **picked})
        else:
            self._show(picked_view(choice, self.pipeline, self.console))
        self._keep(before, choice.answer_id, "picked")

    def _obey(self, name: str, rest: str) -> bool:
        """Obeys a command with what was typed behind it; whether the chat goes on."""
        match name:
            case "quit":
                return False
            case "forget":
                return not self._forget()
            case "help":
                self._show(_help())
            case "why":
                self._explain()
            case "alt":
                self.show_alternatives()
            case "good" | "bad":
                self._judge(is_good=name == "good")
            case "handoff":
                self._hand_over()
            case "save":
                self._save(rest)
            case "new":
                self._begin_anew()
        return True

    def _explain(self) -> None:
        answer, asked = self.dialogue.answer, self.dialogue.asked
        if answer is None:
            self.tell("Nothing was asked yet.")
            return
        request = self.dialogue.request(asked)
        explanation = self.pipeline.explain(request, answer, self.dialogue.given)
        if self._as_json:
            print_json(why_json(asked, explanation) | {"left_out": answer.left_out})
            return
        self._show(why_view(asked, answer, explanation, self.pipeline))
        if answer.left_out:
            self.tell(f"Not offered, since turned down or of no help to this customer before: {answer.left_out}.")

    def _judge(self, is_good: bool) -> None:
        given = self.dialogue.given
        if given is None:
            self.tell("There is no answer to judge.")
            return
        before = replace(self.dialogue)
        if is_good:
            if self._keep(before, given.answer_id, "good"):
                self.tell("Thank you: kept as a good answer.")
            return
        self.dialogue.reject()
        was = "Kept as a bad answer; it" if self._keep(before, given.answer_id, "bad") else "It"
        self.tell(f"{was} is not offered again here.")
        self._answer(self.dialogue.turns, "The next best:")

    def _keep(self, dialogue: Dialogue, answer_id: int | None, verdict: Verdict) -> bool:
        """Keeps a judgement, or tells why not; whether it was kept."""
        not_kept = keep_or_say(self._book, dialogue, [(answer_id, verdict)])
        if not_kept:
            self.tell(not_kept)
        return not not_kept

    def _save(self, name: str) -> None:
        if not name:
            self.tell(SAY_WHERE)
            return
        save_transcript(self.dialogue, at_home(name))
        self.tell(f"Saved to {name}.")

    def _begin_anew(self) -> None:
        known = self.dialogue.customer
        # What they called bad in this dialogue is known of them by now.
        customer = known_customer(self.pipeline.store, known.name) if known else None
        self.dialogue = Dialogue(customer=customer, threshold=self.dialogue.threshold)
        self.tell("A new dialogue begins.")

    def _keep_hand_over(self) -> None:
        if not self.dialogue.asked:
            return
        self.dialogue.handed_over = True
        if not self.dialogue.hand_over_kept:
            with_summary = replace(self.dialogue, listed=max(self.dialogue.listed, NEAREST))
            self.dialogue.hand_over_kept = self._keep(with_summary, None, "handed over")

    def _leave_out_gone(self) -> None:
        """Leaves out what left the desk since it was found: a forgotten customer's words are shown nowhere again."""
        answer, given = self.dialogue.answer, self.dialogue.given
        found = answer.candidates if answer else ()
        left = tuple(one for one in found if one == given or not why_gone(self.pipeline.store, one.answer_id))
        if answer is None or len(left) == len(found):
            return
        # The chances of the others stay what they were; a number means nothing that was listed before.
        confidence = answer.chance(left[0]) if left else answer.confidence
        self.dialogue.answer, self.dialogue.listed = replace(answer, candidates=left, confidence=confidence), 0

    def _hand_over(self) -> None:
        self._leave_out_gone()
        if self._as_json and self.dialogue.answer is not None:
            self._print_answer(replace(self.dialogue.answer, decision="handoff", answer=None, reason=ASKED_FOR))
        else:
            self._show(plain(handover_summary(self.dialogue), one_line=False))
        self._keep_hand_over()

    def _forget(self) -> bool:
        """Removes the customer, once that was asked for twice in a row; whether that was done."""
        customer = self.dialogue.customer
        if not self._forgetting.is_confirmed(customer):
            return False
        self.tell(self._forgetting.forget(self.pipeline.desk, customer))
        return True

    def _show(self, what: RenderableType) -> None:
        # Lines for a file or pipe are left as long as they are.
        self.console.print(what, soft_wrap=not self.console.is_terminal)


def _help() -> Text:
    lines = [f"/{name:<9}{meaning}" for name, meaning in COMMANDS.items()]
    lines += [f"{key:<10}{meaning}" for key, meaning in KEYS.items()]
    return Text("\n".join(lines))
