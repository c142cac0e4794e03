"""What visitors and agents of the simulated shop write, by topic: outdoor gear, a membership and an app.

``{order}``, ``{item}`` and ``{agent}`` in a line are replaced by an order number, a product and the agent's name, ``{email}``
and ``{phone}`` by an address at example.com and a number that Ofcom keeps for fiction.
"""

from dataclasses import dataclass
from typing import Final

Exchange = tuple[str, str]
"""What the agent writes, and what the visitor answers."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One reason to write to a support team, and how the conversation about it goes."""

    tag: str
    page: str
    """Path of the page from which most visitors start the chat."""
    openings: tuple[str, ...]
    exchanges: tuple[Exchange, ...]
    """In order; a conversation leaves some out."""
    solved: tuple[str, ...]
    unsolved: tuple[str, ...]
    offline: tuple[str, ...]
    goals: tuple[str, ...] = ()
    """Goals that visitors reach after such a chat."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """What is said in every conversation of a language."""

    items: tuple[str, ...]
    follow_ups: tuple[str, ...]
    greetings: tuple[str, ...]
    second_greetings: tuple[str, ...]
    fillers: tuple[Exchange, ...]
    handovers: tuple[str, ...]
    takeovers: tuple[str, ...]
    anything_else: tuple[Exchange, ...]
    thanks: tuple[str, ...]
    complaints: tuple[str, ...]
    farewells: tuple[str, ...]
    impatient: tuple[str, ...]
    good_comments: tuple[str, ...]
    bad_comments: tuple[str, ...]


ENGLISH: Final = Phrases(
    items=(
        "rain jacket",
        "hiking boots",
        "35 l backpack",
        "two-person tent",
        "sleeping bag",
        "headlamp",
        "trail shoes",
        "fleece",
        "camping stove",
        "water filter",
    ),
    follow_ups=(
        "Is anyone there?",
        "It's order {order}.",
        "Sorry, I forgot: the order number is {order}",
        "Hello?",
        "It's about the {item}.",
        "You can also call me on {phone}",
    ),
    greetings=(
        "Hi, this is {agent}. Thanks for getting in touch!",
        "Hello, you're chatting with {agent}.",
        "Hi there, {agent} here.",
        "Good day, my name is {agent}. I'll look into this for you.",
        "Hi! I'm {agent}, happy to help.",
    ),
    second_greetings=("Give me a moment to read your message.", "Let me have a look.", "I'll check this right away."),
    fillers=(
        ("One moment please, I'm checking.", "ok"),
        ("Still on it, our system is a bit slow today.", "No problem"),
        ("Thanks for waiting. Could you confirm the e-mail address of your account?", "It's {email}"),
        ("Are you using the app or the website?", "The website, in Chrome"),
        ("I've found your order {order}, a {item}. Is that the right one?", "Yes, that's it"),
        ("Could you send me a photo or a screenshot?", "I'll try, one second"),
        ("Bear with me for two minutes while I ask a colleague.", "Sure, take your time"),
    ),
    handovers=(
        "My colleagues in the other team can do this faster. I'll transfer you now.",
        "I don't have access to this, so I'm handing you over to the right department.",
    ),
    takeovers=(
        "Hi, {agent} here, I've read the conversation so far.",
        "Hello, I'm {agent}. I'm taking over from my colleague.",
    ),
    anything_else=(
        ("Is there anything else I can help you with?", "No, that was all"),
        ("Anything else I can do for you today?", "No thanks, all good"),
        ("Can I help with anything else?", "No, you've been very helpful"),
    ),
    thanks=(
        "Great, thank you!",
        "Perfect, thanks a lot",
        "ok 👍",
        "That worked, thanks!",
        "Thanks for the quick help",
        "Brilliant, cheers",
    ),
    complaints=(
        "That doesn't really help me.",
        "Hm, that's disappointing.",
        "I've been waiting for a week now, this is not good enough.",
        "So I have to write again? Great.",
        "ok, then I'll cancel",
    ),
    farewells=(
        "You're welcome. Have a nice day!",
        "Thanks for chatting with us. Bye!",
        "My pleasure. Enjoy your next trip! 😊",
        "Have a good one!",
    ),
    impatient=(
        "Hello?",
        "Is anybody there?",
        "I don't have all day...",
        "Never mind, please write to {email}",
        "Can someone help me please?",
    ),
    good_comments=(
        "Quick and kind",
        "Very helpful, thank you",
        "{agent} solved it in two minutes",
        "Great service as always",
        "Clear answer",
        "Friendly!",
        "Best support I've had in a long time",
        "👍",
    ),
    bad_comments=(
        "Took too long",
        "Still not solved",
        "The agent was friendly but could not solve it",
        "I had to explain everything twice",
        "👎",
        "Copy and paste answers",
        "Waited ages for a reply",
    ),
)
FRENCH: Final = Phrases(
    items=("veste de pluie", "paire de chaussures de randonnée", "tente deux places", "lampe frontale", "polaire"),
    follow_ups=("Il y a quelqu'un ?", "C'est la commande {order}.", "Je précise : il s'agit de la {item}."),
    greetings=("Bonjour, je suis {agent}. Comment puis-je vous aider ?", "Bonjour et bienvenue, {agent} à votre écoute."),
    second_greetings=("Un instant, je regarde.", "Je vérifie tout de suite."),
    fillers=(
        ("Pouvez-vous me confirmer votre adresse e-mail ?", "Oui, c'est {email}"),
        ("Je vois la commande {order}. C'est bien celle-là ?", "Oui, tout à fait"),
        ("Merci de patienter encore une minute.", "Pas de souci"),
    ),
    handovers=("Je vous transfère à mes collègues.",),
    takeovers=("Bonjour, {agent}, je prends le relais.",),
    anything_else=(("Puis-je faire autre chose pour vous ?", "Non merci, c'est tout"),),
    thanks=("Merci beaucoup !", "Parfait, merci", "Super, merci pour votre aide"),
    complaints=("Je suis déçu.", "Ce n'est pas normal d'attendre aussi longtemps.", "Tant pis, j'annule."),
    farewells=("Avec plaisir, bonne journée !", "Je vous en prie. À bientôt !"),
    impatient=("Allô ?", "Il y a quelqu'un ?", "Bon, rappelez-moi au {phone}"),
    good_comments=("très bien", "Rapide et efficace", "{agent} a été très aimable"),
    bad_comments=("Trop long", "Réponse peu claire", "Problème non résolu"),
)
JAPANESE: Final = Phrases(
    items=("レインジャケット", "登山靴", "テント", "ヘッドランプ"),
    follow_ups=("注文番号は{order}です。", "どなたかいらっしゃいますか。"),
    greetings=("お問い合わせありがとうございます。担当の{agent}です。", "こんにちは、{agent}と申します。"),
    second_greetings=("確認いたしますので、少々お待ちください。",),
    fillers=(
        ("ご登録のメールアドレスをお伺いできますか。", "アカウントと同じものです"),
        ("ご注文{order}の{item}でお間違いないでしょうか。", "はい、そうです"),
    ),
    handovers=("担当部署におつなぎいたします。",),
    takeovers=("お電話代わりました、{agent}です。",),
    anything_else=(("他にご不明な点はございますか。", "大丈夫です"),),
    thanks=("ありがとうございます。", "助かりました"),
    complaints=("それは困ります。", "もう少し早く対応してほしいです。"),
    farewells=("ご利用ありがとうございました。", "またのご利用をお待ちしております。"),
    impatient=("もしもし", "すぐに返信してください。"),
    good_comments=("とても丁寧でした", "早い対応でした", "助かりました"),
    bad_comments=("遅かったです", "解決しませんでした"),
)

_WHERE: Final = Topic(
    "order_status",
    "/orders",
    (
        "Where has my parcel got to? Order {order}.",
        "Hi, I ordered a {item} two weeks ago and it still has not arrived. Could you look into it?",
        "The tracking page for {order} hasn't changed since Monday",
        "Hello, can you tell me when my {item} will be delivered?",
    ),
    (
        ("Let me look that up for you.", "Thanks"),
        ("It left our warehouse on Monday.", "And where is it now?"),
        ("The carrier scanned it yesterday evening at the depot closest to you.", "Ah, so it's not lost"),
        ("Was the address on the confirmation correct?", "Yes, same as always"),
        ("Would a neighbour be able to accept it?", "Yes, the one on the first floor"),
    ),
    (
        "It should be with you by tomorrow evening. I've sent the tracking link to your e-mail address.",
        "I've asked the carrier to deliver tomorrow morning and added a note about your neighbour.",
    ),
    ("I'm afraid the carrier has no newer information. Please write to us again if it has not arrived by Friday.",),
    (
        "My order {order} has not arrived yet. Please tell me where it is.",
        "Tracking says delivered, but there is no parcel here. Order {order}.",
    ),
)
_CHANGE: Final = Topic(
    "order_change",
    "/orders",
    (
        "Can I still change the address of order {order}?",
        "I ordered the {item} in the wrong size, can you swap it before it ships?",
        "Please cancel {order}, I clicked twice by accident",
    ),
    (
        ("Sure, let me check whether it has been packed already.", "Thanks"),
        ("It's still in preparation, so we're in time. What should I change?", "The new details are in my account now"),
        ("I see two orders with the same {item}. Which one should go?", "The second one please"),
    ),
    ("Done. You'll get a new confirmation by e-mail in a few minutes.", "I've changed it. The price stays the same."),
    ("Sorry, it has been handed to the carrier already, so I can't change it any more. You can return it for free.",),
    ("I need to change the delivery address of order {order} before it ships!",),
)
_STOCK: Final = Topic(
    "availability",
    "/cart?step=2&ref=mail",
    (
        "Is the {item} in stock in size M?",
        "When will the {item} in green be back?",
        "Hi, can I pick up the {item} in your Lisbon store today?",
    ),
    (
        ("Which colour are you after?", "Green, or blue if green is gone"),
        ("I can see three left in the online warehouse.", "Oh nice"),
        ("Shall I reserve one for 24 hours?", "Yes please"),
    ),
    (
        "It's reserved under your e-mail address. Just check out within 24 hours.",
        "We expect it back on the 15th; I've put you on the list.",
    ),
    ("It's discontinued, I'm sorry. We won't get that one again.",),
    ("Do you ship the {item} to the islands? I could not find it on your page.",),
    ("Checkout",),
)
_RETURN: Final = Topic(
    "return",
    "/help/returns",
    (
        "How do I return a {item}?",
        "Das Paket ist beschädigt angekommen, was soll ich tun? Order {order}",
        "¿Puedo cambiar la talla? The {item} is too small",
        "The {item} from order {order} has a broken zip after one week.",
    ),
    (
        ("I'm sorry to hear that. When did you receive it?", "Last Thursday"),
        ("Is it unused and in its original packaging?", "I wore it once at home"),
        ("No problem. Would you like an exchange or a refund?", "A refund please"),
        ("Could you send a photo of the damage?", "Yes, here it is"),
        ("Thank you. I can see the problem.", "It's quite obvious, isn't it"),
    ),
    (
        "I've e-mailed you a return label. The refund takes three to five days after we receive the parcel.",
        "A replacement is on its way. Please keep the old one until the courier collects it.",
    ),
    (
        "As it has been used outdoors, I can't accept the return. I can offer you 20% off a repair.",
        "The 30 days are over, so a return is no longer possible.",
    ),
    (
        "I sent back a {item} ten days ago (order {order}) and have heard nothing since.",
        "How can I return shoes that I bought as a gift?",
    ),
)
_REFUND: Final = Topic(
    "refund",
    "/help/returns",
    (
        "I returned my {item} weeks ago, where is my refund?",
        "You refunded only half of order {order}",
        "Refund for {order} still missing",
    ),
    (
        ("Let me check with our warehouse.", "ok"),
        ("Your parcel arrived on the 3rd and was checked on the 5th.", "So why is there no money?"),
        ("Which payment method did you use?", "Credit card"),
        ("I see it: the refund was created but not released.", "Can you release it?"),
    ),
    (
        "I've just released it. It will be on your card in three to five days.",
        "I've refunded the difference, including shipping.",
    ),
    ("I can't speed it up from here, sorry. Our finance team will get back to you.",),
    ("Where is my refund for order {order}? It has been three weeks.",),
)
_INVOICE: Final = Topic(
    "invoice",
    "/orders",
    (
        "It is about invoice 2026/118: the VAT number is missing from the PDF that I downloaded yesterday.",
        "Hello, I need an invoice with our company name for {order}",
        "Can you send me all invoices of last year?",
    ),
    (
        ("Which company name should be on it?", "Example Outdoor GmbH, address as in the order"),
        ("And the VAT number?", "I'll type it in my account settings"),
        ("Thanks, I can see it now.", "Perfect"),
    ),
    ("The corrected invoice is in your inbox.", "I've sent them as one PDF."),
    ("Once an invoice is booked I can't change it. Our accounting will send a credit note within ten days.",),
    ("Please send me the invoice for order {order}, I need it for my tax return.",),
)
_CHARGED: Final = Topic(
    "payment",
    "/cart?step=2&ref=mail",
    (
        "I was charged twice for order {order}!",
        "My card is declined although it works everywhere else",
        "The voucher code SUMMER is not accepted for the {item}",
    ),
    (
        ("I'm sorry about that. When was the second charge?", "This morning, the same amount"),
        ("One of the two is only a reservation of your bank.", "It looks like a real booking to me"),
        ("Which bank is it, if I may ask?", "I'd rather not say in a chat"),
        ("Of course. I've found the transaction by the order number.", "And?"),
    ),
    (
        "The second amount will be released by tomorrow. If not, send us the statement and we'll refund it.",
        "I've entered the voucher for you, the price is updated in your cart.",
    ),
    ("I can't see any error on our side. Please ask your bank.",),
    ("Why have I been charged twice? Please call me back.",),
)
_LOGIN: Final = Topic(
    "login",
    "/",
    (
        "I cannot log in since yesterday, your site says my account is locked",
        "The password reset e-mail never arrives",
        "Two-factor codes are not accepted in the app",
    ),
    (
        ("Let's sort this out. Which e-mail address do you use?", "{email}, or else {phone}"),
        ("Have you checked the spam folder?", "Yes, nothing there"),
        ("I've sent a new link. Did it arrive?", "Yes, just now"),
        ("Please open it in a private window.", "Trying..."),
        ("Does the clock of your phone match the real time?", "It's four minutes off, strange"),
    ),
    ("Your account is unlocked. Please choose a new password.", "Great, then you're all set."),
    ("I have to pass this on to our engineers. You'll hear from us within two working days.",),
    ("I cannot log in since yesterday, your site says my account is locked. What do I do now?",),
)
_ERROR: Final = Topic(
    "bug",
    "/cart?step=2&ref=mail",
    (
        'The page says "Error 500" \\ and then nothing.\nI tried twice.',
        "The app crashes when I open my tours",
        "Checkout spins forever on the payment page",
        "GPS tracks are no longer synced to the app",
    ),
    (
        ("Which version of the app do you have?", "5.12, updated yesterday"),
        ("Could you log out and in again?", "Done, it's the same"),
        ("Please clear the browser's cache and reload the page.", "Now it loads, but the cart is empty"),
        ("Does it also happen in another browser?", "In Firefox it works"),
        ("I can reproduce it here, thank you.", "Good to know it's not me"),
        ("Could you send me the log from Settings > Help?", "One second, here it comes"),
    ),
    (
        "We've just deployed a fix. Could you try once more? ... Great!",
        "I've restored your cart, you can finish the order now.",
    ),
    (
        "It's a known problem, but I have no date for a fix yet.",
        "I've filed a ticket for our developers; they'll write to you.",
    ),
    ("Your page shows Error 500 when I want to pay.", "The app crashes at start since the last update."),
)
_SETUP: Final = Topic(
    "how_to",
    "/",
    ("How do I connect my watch to the app?", "Where can I see my saved routes?", "How do I set the {item} to low power?"),
    (
        ("Which watch is it?", "The one you sell in the shop, second generation"),
        ("Please open Settings > Devices and tap Add.", "I see it in the list"),
        ("Confirm the code on both screens.", "It's connecting"),
        ("You may have to turn off battery saving for the app.", "Where's that?"),
    ),
    ("It's under Apps > Battery. That should do it.", "Well done, it's connected."),
    ("That model isn't supported yet, unfortunately.",),
    ("The manual of the {item} is missing. Can you send it as PDF?",),
    ("Newsletter",),
)
_ADVICE: Final = Topic(
    "advice",
    "/pricing",
    (
        "Which {item} would you recommend for ten days in Norway in September?",
        "What is the difference between the two models of the {item}?",
        "Is the {item} worth the extra money?",
    ),
    (
        ("Nice trip! Will you be camping?", "Yes, mostly wild camping"),
        ("Then I'd look for something warm and light. What's your budget?", "Around 300"),
        ("The second one weighs 400 g less and comes with a longer warranty.", "That's a good point"),
        ("Have you thought about members' prices? You'd save 15%.", "How much is the membership?"),
    ),
    ("I've put both models in a wish list for you: just compare and order.", "Great choice. Use the code CHAT5 for 5% off."),
    ("We don't have anything in that price range at the moment, sorry.",),
    ("Do you have somebody who can advise me on tents? I'm planning a trip to Iceland.",),
    ("Checkout", "Checkout", "Newsletter"),
)
_MEMBER: Final = Topic(
    "membership",
    "/pricing",
    ("What do I get with the Plus membership?", "Can I try the membership for free?", "I'd like to upgrade my family to Plus"),
    (
        ("Plus gives you free shipping, 15% off and the offline maps.", "Is there a trial?"),
        ("Yes, 30 days for free, and you can cancel online at any time.", "Sounds good"),
        ("How many people are in your household?", "Four"),
    ),
    ("I've sent you the link for the trial. Have fun!", "The family plan is active as of now."),
    ("The trial is for new members only, I'm afraid.",),
    ("Please tell me what the Plus membership costs per year.",),
    ("Trial", "Trial", "Upgrade"),
)
_BULK: Final = Topic(
    "quote",
    "/pricing",
    ("We need 40 backpacks with our logo, can you make an offer?", "Do you give discounts to scout groups?"),
    (
        ("We do! When would you need them?", "In six weeks at the latest"),
        ("And where should we deliver?", "To our office in Porto"),
        ("Could you send the logo as a vector file?", "Yes, I'll upload it"),
    ),
    ("You'll have the quote in your inbox within the hour.",),
    ("Below 50 pieces we can't print logos, sorry.",),
    ("Please call me about a larger order for our company.",),
    ("Contact form",),
)
_CONCIERGE: Final = Topic(
    "vip",
    "/orders",
    ("Hi, it's me again. Could you move my delivery {order} to Friday?", "I need the {item} by tomorrow, is that possible?"),
    (
        ("Welcome back! Of course. Morning or afternoon?", "Morning, before ten"),
        ("I'll book the express courier for you.", "You're a star"),
        ("Same address as last time?", "Yes please"),
    ),
    ("All booked, free of charge. You'll get a message from the driver.",),
    ("Tomorrow is a public holiday, so the earliest is the day after.",),
    ("Please call me back under the number in my profile.",),
    ("Upgrade",),
)
_FRENCH_ORDER: Final = Topic(
    "order_status",
    "/orders",
    (
        "Bonjour, où en est ma commande {order} ?",
        "Ma {item} n'est toujours pas arrivée",
        "Je voudrais annuler ma commande {order}.",
    ),
    (
        ("Votre colis est parti lundi de notre entrepôt.", "Et quand est-ce qu'il arrive ?"),
        ("Le transporteur indique une livraison demain.", "Très bien"),
        ("Souhaitez-vous un point relais ?", "Oui, celui de la gare"),
    ),
    ("C'est noté, vous recevrez un SMS du transporteur.", "La commande est annulée et remboursée."),
    ("Je n'ai pas d'autre information pour le moment, je suis désolée.",),
    ("Bonjour, je voudrais annuler ma commande {order}.", "Votre site refuse ma carte, rappelez-moi svp."),
)
_FRENCH_RETURN: Final = Topic(
    "return",
    "/help/returns",
    ("Bonjour, la {item} est trop petite, puis-je l'échanger ?", "Comment retourner un article ?"),
    (
        ("Bien sûr. Quelle taille vous faut-il ?", "Un L"),
        ("L'article est-il dans son emballage d'origine ?", "Oui"),
    ),
    ("Je vous envoie l'étiquette de retour par e-mail.",),
    ("Le délai de 30 jours est dépassé, je ne peux pas accepter le retour.",),
    ("Je n'ai pas reçu l'étiquette de retour pour {order}.",),
)
_JAPANESE_ORDER: Final = Topic(
    "order_status",
    "/ja/商品",
    (
        "注文{order}の配送状況を教えてください。",
        "注文をキャンセルしたいのですが、どうすればいいですか。",
        "{item}のサイズ交換はできますか。",
    ),
    (
        ("ご注文番号をお願いいたします。", "{order}です"),
        ("月曜日に発送済みでございます。", "いつ届きますか"),
        ("明後日のお届け予定です。", "わかりました"),
    ),
    ("メールで追跡番号をお送りしました。", "キャンセルを承りました。"),
    ("申し訳ございません、発送後の変更はできかねます。",),
    ("注文{order}が届きません。ご連絡ください。",),
)

# By department, as often as they come up. None: visitors who chose no department.
TOPICS: Final[dict[str | None, tuple[Topic, ...]]] = {
    "Orders": (_WHERE, _WHERE, _WHERE, _CHANGE, _CHANGE, _STOCK),
    "Returns": (_RETURN, _RETURN, _REFUND),
    "Billing": (_INVOICE, _CHARGED, _CHARGED, _REFUND),
    "Technical": (_LOGIN, _LOGIN, _ERROR, _ERROR, _SETUP),
    "Sales": (_ADVICE, _ADVICE, _STOCK, _MEMBER, _BULK),
    "VIP": (_CONCIERGE, _CONCIERGE, _ADVICE),
    "Français": (_FRENCH_ORDER, _FRENCH_ORDER, _FRENCH_RETURN),
    "日本語サポート": (_JAPANESE_ORDER,),
    None: (_WHERE, _SETUP, _STOCK, _RETURN, _MEMBER),
}
PHRASES: Final[dict[str, Phrases]] = {"Français": FRENCH, "日本語サポート": JAPANESE}
"""By department; English everywhere else."""
# From the tags that agents set often to those that somebody set once.
OTHER_TAGS: Final = (
    "follow-up", "vip", "upsell", "first_order", "shipping", "carrier", "app", "late", "spam", "size", "complaint",
    "express", "gift", "voucher", "photo_sent", "escalated", "callback", "black_friday", "wrong_item", "store_lisbon",
    "damaged", "ios", "android", "newsletter", "duplicate", "address", "customs", "tent", "boots", "wholesale", "survey",
    "warranty", "repair", "gdpr", "press", "jobs", "späti", "affiliate", "fraud_check", "lost_parcel", "chargeback",
    "school", "recall_2025", "island_delivery", "beta", "api", "influencer", "trade_fair", "recycling", "loyalty_bug",
)  # fmt: skip
