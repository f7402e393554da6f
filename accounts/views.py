"""The pages about a person's own log-in."""

import logging
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash, user_login_failed
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import open_log_ins, second_factor
from accounts.forms import CodeForm, PasswordForm, SetUpForm
from accounts.log_ins import ASK, SET_UP, STANDING, is_shut, pass_second_factor, shut_page
from accounts.models import User
from accounts.tasks import tell_person
from accounts.visitors import visitor

logger = logging.getLogger(__name__)


def person_of(request: HttpRequest) -> User:
    """Whoever is logged in."""
    assert isinstance(request.user, User)  # noqa: S101 - every view here asks for a log-in
    return request.user


def wanted(request: HttpRequest) -> str:
    """The page somebody was on the way to; only ever one of ours."""
    address = request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if ours else reverse("admin:index")


def page(request: HttpRequest, template: str, **more: Any) -> HttpResponse:
    """In the look of the admin."""
    context = {**admin.site.each_context(request), "wanted": request.get_full_path(), **more}
    return TemplateResponse(request, f"accounts/{template}.html", context)


def failed(request: HttpRequest, person: User, what: str) -> None:
    """Counts a wrong code or password as a failed log-in."""
    user_login_failed.send(sender=__name__, credentials={"username": person.email, "what": what}, request=request)


@never_cache
@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def ask_code(request: HttpRequest) -> HttpResponse:
    """After the password: the code."""
    person = person_of(request)
    if request.session.get(STANDING) != ASK:
        return HttpResponseRedirect(wanted(request))
    if is_shut(request, person):
        return shut_page(request)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        wait = second_factor.seconds_to_wait(person, now)
        left = second_factor.recovery_codes_left(person)
        if second_factor.is_right(person, form.cleaned_data["code"], now):
            pass_second_factor(request, person)
            left_now = second_factor.recovery_codes_left(person)
            if left_now < left:
                tell_person.delay_on_commit(person_id=person.pk, notice="recovery_code")  # type: ignore[attr-defined]
                messages.warning(request, f"That recovery code is used up; {left_now} are left. “My log-in” makes new.")
            return HttpResponseRedirect(wanted(request))
        failed(request, person, "code")
        words = "This code is wrong, or was used already. Wait for the next one."
        form.add_error("code", f"Too many wrong codes: wait {wait} seconds." if wait else words)
    return page(request, "ask_code", title="Second factor", form=form)


@never_cache
@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """The picture for the app; with its first code the second factor is in force, and the recovery codes are shown."""
    person = person_of(request)
    if is_shut(request, person):
        return shut_page(request)
    form = SetUpForm(request.POST or None, person=person)
    if request.method == "POST":
        if form.is_valid():
            codes = second_factor.finish(person, form.cleaned_data["code"].replace(" ", ""), timezone.now())
            if codes:
                person.end_log_ins()
                update_session_auth_hash(request, person)
                pass_second_factor(request, person)
                tell_person.delay_on_commit(person_id=person.pk, notice="set_up")  # type: ignore[attr-defined]
                return page(request, "recovery_codes", title="Your recovery codes", codes=codes, go_on=wanted(request))
            form.add_error("code", "This code is wrong. Is the time of the telephone right? Type the one it shows now.")
        failed(request, person, "code or password")
    key = (second_factor.begun(person) if request.method == "POST" else "") or second_factor.begin(person)
    size, path = second_factor.picture(second_factor.address_for_app(person, key))
    return page(
        request,
        "set_up",
        title="Set up your second factor",
        form=form,
        key=" ".join(key[place : place + 4] for place in range(0, len(key), 4)),
        size=size,
        path=path,
        must=request.session.get(STANDING) == SET_UP,
    )


@never_cache
@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def my_log_in(request: HttpRequest) -> HttpResponse:
    """How one's own log-in stands and where else it is open; with the password: new recovery codes, and ending them."""
    person = person_of(request)
    if is_shut(request, person):
        return shut_page(request)
    form = PasswordForm(request.POST or None, person=person)
    there = second_factor.is_set_up(person)
    here = request.session.session_key
    if request.method == "POST":
        if form.is_valid() and "everywhere" in request.POST:
            person.end_log_ins()
            logger.info("Ended all log-ins. By %s", visitor(request))
            return HttpResponseRedirect(reverse("admin:login"))
        if form.is_valid() and "others" in request.POST:
            person.end_log_ins()
            update_session_auth_hash(request, person)
            logger.info("Ended all other log-ins. By %s", visitor(request))
            messages.success(request, "You are logged out everywhere else.")
            return HttpResponseRedirect(reverse("my_log_in"))
        if form.is_valid() and "marked" in request.POST:
            ended = open_log_ins.end(person, request.POST.getlist("log_in"), timezone.now(), here)
            for each in ended:
                logger.info("Ended the log-in of %s from %s. By %s", each.browser, each.place, visitor(request))
            words = f"{len(ended)} log-in{pluralize(len(ended))} ended." if ended else "Nothing was marked."
            messages.add_message(request, messages.SUCCESS if ended else messages.WARNING, words)
            return HttpResponseRedirect(reverse("my_log_in"))
        if form.is_valid() and "codes" in request.POST and there:
            codes = second_factor.new_recovery_codes(person)
            return page(request, "recovery_codes", title="Your recovery codes", codes=codes, go_on=reverse("my_log_in"))
        if not form.is_valid():
            failed(request, person, "password")
    return page(
        request,
        "my_log_in",
        title="My log-in",
        form=form,
        log_ins=open_log_ins.open_log_ins(person, timezone.now(), here),
        there=there,
        left=second_factor.recovery_codes_left(person),
        idle_minutes=settings.SESSION_IDLE_MINUTES,
        hours=settings.SESSION_HOURS,
    )
