"""The sales of the sample day: what was sold, what is wrong in the sheets, and what should be found.

Everything here is invented.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")

SHOP_GOODS = {
    "Arroz blanco precocido 1 lb": "0.65", "Frijol rojo de seda 1 lb": "1.15", "Azúcar blanca 2.5 kg": "2.65",
    "Aceite vegetal 750 ml": "2.40", "Café molido 400 g": "4.75", "Leche entera en polvo 360 g": "4.20",
    "Harina de maíz 2 lb": "1.35", "Jabón de lavar, barra": "0.55", "Detergente en polvo 1 kg": "2.95",
    "Lejía 1 L": "1.10", "Papel higiénico, paquete de 4": "1.85", "Escoba plástica": "3.25",
    "Trapeador de algodón": "3.90", "Foco LED 9 W": "1.75", "Extensión eléctrica 3 m": "4.50",
    "Tomacorriente doble": "1.95", 'Cinta aislante 3/4"': "0.95", "Martillo de uña 16 oz": "8.75",
    "Desarmador estrella #2": "2.60", 'Clavos de 2" (libra)': "1.05", 'Brocha de 3"': "2.15",
    "Pintura látex blanca, galón": "18.90", "Cemento gris, bolsa 42.5 kg": "9.35", 'Tubo PVC 1/2" x 6 m': "4.10",
    'Chorro metálico 1/2"': "6.45", "Silla plástica": "7.99", "Mesa plegable": "34.50",
    "Ventilador de pedestal": "32.95", "Licuadora 10 velocidades": "39.90", "Plancha de vapor": "21.75",
    "Olla arrocera 1.8 L": "28.50",
    "Colchón matrimonial": "189.00", "Refrigeradora 14 pies": "649.00", "Cocina de gas 4 quemadores": "265.00",
    'Televisor 43"': "329.00", "Cuaderno rayado 100 páginas": "1.25", "Lapicero azul, docena": "2.30",
    "Resma de papel carta": "4.95", "Cartulina (unidad)": "0.35", "Pegamento blanco 250 g": "1.65",
}  # fmt: skip
KIOSK_GOODS = {
    "Café americano": "1,25", "Café con leche": "1,60", "Capuchino 12 oz": "2,10", "Chocolate caliente": "1,75",
    "Pan dulce surtido": "0,60", "Quesadilla salvadoreña": "1,35", "Semita de piña": "0,85",
    "Empanada de plátano": "0,75", "Sándwich de jamón y queso": "2,95", "Jugo de naranja 12 oz": "1,80",
    "Agua 600 ml": "0,75", "Galletas; paquete": "0,50", "Ensalada de frutas": "2,25", "Horchata 16 oz": "1,40",
    "Yogur con granola": "2,35",
}  # fmt: skip
PEOPLE = (
    ("Ana Ejemplo", "099000013", "ana.ejemplo@example.com", "San Salvador", "San Salvador Centro"),
    ("José Muestra", "099000021", "jose.muestra@example.com", "La Libertad", "Santa Tecla"),
    ("María Prueba Ñandú", "099000039", "maria.prueba@example.org", "San Salvador", "Soyapango"),
    ("Carlos Demostración", "099000047", "", "San Miguel", "22"),
    ("Lucía Modelo", "099000055", "lucia.modelo@example.net", "Usulután", "1124"),
    ("Óscar Ensayo", "099000063", "oscar@example.com", "06", "23"),
)
PAYMENTS = ("Efectivo", "Efectivo", "Tarjeta de débito", "Tarjeta de crédito", "Transferencia")


@dataclass(frozen=True, kw_only=True)
class Item:
    """A line as the till knows it; `cells` are what the sheet says instead."""

    name: str
    quantity: str
    price: str
    discount: str = ""
    cells: Mapping[str, Any] = field(default_factory=dict)

    @property
    def amount(self) -> Decimal:
        return Decimal(self.quantity) * Decimal(self.price) * (1 - Decimal(self.discount or "0") / 100)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A problem that the document has: its code, the heading of its cell, and the line in which it stands."""

    code: str
    heading: str = ""
    line: int = 0
    blocks: bool = True


@dataclass(frozen=True, kw_only=True)
class Sale:
    """One document. `cells` are header cells by heading, the same in all its rows."""

    number: int
    branch: str
    items: tuple[Item, ...]
    cells: Mapping[str, Any] = field(default_factory=dict)
    expected: tuple[Expected, ...] = ()
    rejected: str = ""
    """The code with which the sandbox's ministry refuses it."""

    @property
    def ref(self) -> str:
        return f"{self.branch}-{self.number}"

    @property
    def gross(self) -> Decimal:
        return sum((item.amount for item in self.items), Decimal(0)).quantize(CENT, ROUND_HALF_UP)

    @property
    def ready(self) -> bool:
        return not any(problem.blocks for problem in self.expected)


def shop_sales() -> list[Sale]:
    """Sixty documents of three shops, as the day brought them: each shop counts its own."""
    chance = random.Random(20261120)
    sales = [ordinary_sale(chance) for _ in range(60 - len(SHOP_CASES))]
    for position, sale in zip(range(4, 60, 60 // len(SHOP_CASES)), SHOP_CASES, strict=False):
        sales.insert(position, sale)
    counters = {"Centro": 1041, "Merliot": 312, "Soyapango": 1041}
    numbered = []
    for sale in sales:
        numbered.append(replace(sale, number=counters[sale.branch]))
        counters[sale.branch] += 1
    return numbered


def ordinary_sale(chance: random.Random) -> Sale:
    cells = {"Forma de pago": chance.choice(PAYMENTS)}
    if chance.random() < 0.3:
        name, dui, email, department, municipality = chance.choice(PEOPLE)
        cells |= {"Cliente": name, "DUI": hyphened(dui), "Correo": email}
        cells |= {"Departamento": department, "Municipio": municipality}
    elif chance.random() < 0.15:
        cells |= {"Cliente": "Consumidor Final"}
    branch = chance.choice(("Centro", "Centro", "Merliot", "Soyapango"))
    names = chance.sample(small_goods(), chance.choice((1, 2, 2, 3, 3, 4, 5, 6)))
    return Sale(number=0, branch=branch, items=tuple(ordinary_item(chance, name) for name in names), cells=cells)


def small_goods() -> list[str]:
    return [name for name, price in SHOP_GOODS.items() if Decimal(price) < 60]


def ordinary_item(chance: random.Random, name: str) -> Item:
    quantity = "2.5" if "libra" in name else str(chance.choice((1, 1, 1, 2, 2, 3, 4, 6, 12)))
    discount = chance.choice(("", "", "", "", "", "5", "10"))
    return Item(name=name, quantity=quantity, price=SHOP_GOODS[name], discount=discount)


def hyphened(dui: str) -> str:
    return f"{dui[:8]}-{dui[8:]}"


def goods(name: str, quantity: str = "1", **cells: Any) -> Item:
    """One of the shop's goods; `cells` are what its row says instead."""
    return Item(name=name, quantity=quantity, price=SHOP_GOODS[name], cells=by_heading(cells))


def by_heading(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Cells by heading, where headings with spaces are written with `_`."""
    return {key.replace("_", " "): value for key, value in cells.items()}


def case(branch: str, *items: Item, expected: Sequence[Expected] = (), rejected: str = "", **cells: Any) -> Sale:
    header = {"Forma de pago": "Efectivo", **by_heading(cells)}
    return Sale(number=0, branch=branch, items=items, cells=header, expected=tuple(expected), rejected=rejected)


ANA = {"Cliente": "Ana Ejemplo", "DUI": "09900001-3"}
SHOP_CASES = (
    case("Centro", goods("Café molido 400 g", "2"), goods("Azúcar blanca 2.5 kg", "0"),
         expected=[Expected(code="quantity-not-positive", heading="Cantidad", line=1)]),
    case("Merliot", goods("Silla plástica", "6", Precio_unitario=None),
         expected=[Expected(code="unit-price-missing", heading="Precio unitario")]),
    case("Soyapango", goods("Escoba plástica", "1", Descripción=None), goods("Lejía 1 L", "2"),
         expected=[Expected(code="description-missing", heading="Descripción")]),
    case("Centro", goods("Foco LED 9 W", "4"), **ANA, Departamento="San Salvador", Municipio="Santa Tecla",
         expected=[Expected(code="municipality-elsewhere", heading="Municipio")]),
    case("Merliot", goods("Plancha de vapor"), **ANA, Correo="ana.ejemplo@example",
         expected=[Expected(code="email-shape", heading="Correo")]),
    case("Soyapango", goods('Brocha de 3"', "2"),
         goods("Pintura látex blanca, galón", "1", Forma_de_pago="Tarjeta de crédito"),
         expected=[Expected(code="header-disagrees", heading="Forma de pago", line=1)]),
    case("Centro", goods("Olla arrocera 1.8 L"), Cliente="José Muestra", DUI=99000021,
         expected=[Expected(code="zeros-restored", heading="DUI", blocks=False)]),
    case("Centro", goods("Trapeador de algodón", "2"), Cliente="Lucía Modelo", DUI=99000056,
         expected=[Expected(code="dui-shape", heading="DUI")]),
    case("Merliot", goods("Cuaderno rayado 100 páginas", "3", Cantidad="tres"),
         expected=[Expected(code="quantity-not-a-number", heading="Cantidad")]),
    case("Soyapango", goods("Lapicero azul, docena", "1", Precio_unitario="2.30 c/u"),
         expected=[Expected(code="unit-price-not-a-number", heading="Precio unitario")]),
    case("Centro", goods("Refrigeradora 14 pies", "40"), Forma_de_pago="Transferencia",
         expected=[Expected(code="customer-not-identified", heading="Cliente")]),
    case("Merliot", goods("Cemento gris, bolsa 42.5 kg", "10"), Total_documento=Decimal("95.30"),
         expected=[Expected(code="total-differs", heading="Total documento")]),
    case("Soyapango", goods("Ventilador de pedestal"), Forma_de_pago="Tarjeta",
         expected=[Expected(code="payment-method-unknown", heading="Forma de pago")]),
    case("Centro", goods("Mesa plegable"), **ANA, Departamento="06", Municipio="14",
         expected=[Expected(code="municipality-old-code", heading="Municipio")]),
    case("Merliot", goods("Resma de papel carta", "5", Cantidad="=2+3"),
         expected=[Expected(code="formula-without-value", heading="Cantidad")]),
    case("Soyapango", goods("Colchón matrimonial", "6"), Forma_de_pago="Tarjeta de débito",
         expected=[Expected(code="customer-anonymous", blocks=False)]),
    case("Centro", goods("Licuadora 10 velocidades"), Cliente="Luis Muestra", DUI="09900007-1",
         Correo="luis.muestra@correo.invalida", rejected="096"),
    case("Merliot", goods('Televisor 43"'), Cliente="Marta Prueba", DUI="09900008-4", rejected="094",
         expected=[Expected(code="dui-check-digit", heading="DUI", blocks=False)]),
    case("Centro", goods("Refrigeradora 14 pies", "38"), goods("Cocina de gas 4 quemadores", "12"),
         Cliente="Hotel La Muestra, S.A. de C.V.", NIT="0614-300299-110-9", Correo="compras@example.com",
         Forma_de_pago="Transferencia"),
)  # fmt: skip


def kiosk_sales() -> list[Sale]:
    """Twenty-five tickets."""
    chance = random.Random(20261121)
    sales = [kiosk_sale(chance) for _ in range(25 - len(KIOSK_CASES))]
    for position, sale in zip(range(3, 25, 3), KIOSK_CASES, strict=False):
        sales.insert(position, sale)
    return [replace(sale, number=number) for number, sale in enumerate(sales, 2310)]


def kiosk_sale(chance: random.Random) -> Sale:
    names = chance.sample(sorted(KIOSK_GOODS), chance.choice((1, 1, 2, 2, 3)))
    items = tuple(
        snack(name, str(chance.choice((1, 1, 1, 2, 3))), chance.choice(("", "", "", "", "10"))) for name in names
    )
    return Sale(
        number=0,
        branch="Kiosco",
        items=items,
        cells={"Medio de pago": chance.choice(("Efectivo", "01", "Tarjeta débito"))},
    )


def snack(name: str, quantity: str = "1", discount: str = "", **cells: Any) -> Item:
    price = KIOSK_GOODS[name].replace(",", ".")
    return Item(name=name, quantity=quantity, price=price, discount=discount, cells=by_heading(cells))


def ticket(*items: Item, expected: Sequence[Expected] = (), **cells: Any) -> Sale:
    header = {"Medio de pago": "Efectivo", **by_heading(cells)}
    return Sale(number=0, branch="Kiosco", items=items, cells=header, expected=tuple(expected))


MARIA: dict[str, Any] = {"Nombre del cliente": "María Prueba Ñandú", "No. DUI": "09900003-9"}
KIOSK_CASES = (
    ticket(snack("Agua 600 ml", "-2"), expected=[Expected(code="quantity-not-positive", heading="Cant.")]),
    ticket(snack("Café americano"), snack("Pan dulce surtido", "1", **{"P. Unit.": "gratis"}),
           expected=[Expected(code="unit-price-not-a-number", heading="P. Unit.", line=1)]),
    ticket(snack("Yogur con granola", "2"), **{"Nombre del cliente": "Óscar Ensayo", "No. DUI": "9,90E+07"},
           expected=[Expected(code="scientific-notation", heading="No. DUI")]),
    ticket(snack("Capuchino 12 oz", "3"),
           Nombre_del_cliente="Lucía Modelo", Correo_electrónico="lucia.modelo",
           expected=[Expected(code="email-shape", heading="Correo electrónico")]),
    ticket(Item(name="Servicio de café para evento", quantity="1", price="1250.00"),
           Medio_de_pago="Transferencia",
           expected=[Expected(code="customer-anonymous", blocks=False)]),
    ticket(snack("Horchata 16 oz", "4"), snack("Semita de piña", "4"),
           **MARIA),
)  # fmt: skip


def delivery(
    name: str, nit: str, *items: Item, expected: Sequence[Expected] = (), rejected: str = "", **cells: Any
) -> Sale:
    header = {"Razón social": name, "NIT": nit, "Condición": "Contado", **by_heading(cells)}
    return Sale(number=0, branch="Ruta", items=items, cells=header, expected=tuple(expected), rejected=rejected)


THIRTY_DAYS: dict[str, Any] = {"Condición": "Crédito", "Plazo": "Días", "Días de crédito": "30"}
ROUTE_CASES = (
    delivery("Tienda La Muestra", "0614-300299-101-0", goods("Arroz blanco precocido 1 lb", "50"),
             goods("Frijol rojo de seda 1 lb", "40"), Distrito="Soyapango", Correo="tienda@example.com", **THIRTY_DAYS),
    delivery("Comedor El Ensayo", "0614-300299-102-8", goods("Aceite vegetal 750 ml", "24"), Distrito="Mejicanos"),
    delivery("Alcaldía de Ejemplo", "0614-300299-103-6", goods("Detergente en polvo 1 kg", "60"),
             goods("Lejía 1 L", "80"), Distrito="Santa Tecla", Tipo_de_contribuyente="Gobierno", **THIRTY_DAYS),
    delivery("Supermercado Modelo, S.A. de C.V.", "0614-300299-104-4", goods("Papel higiénico, paquete de 4", "120"),
             Distrito="San Miguel", Tipo_de_contribuyente="3", NRC="12345-6", **THIRTY_DAYS),
    delivery("Pupusería La Prueba", "0614-300299-105-2", goods("Harina de maíz 2 lb", "30"), Distrito="San Lorenzo",
             expected=[Expected(code="place-ambiguous", heading="Distrito")]),
    delivery("Ferretería El Ejemplo", "0614-300299-106-0", goods('Clavos de 2" (libra)', "25"), Condición="Crédito",
             expected=[Expected(code="credit-without-term", heading="Días de crédito", blocks=False)]),
    delivery("Librería Demostración", "0614-300299-107-4", goods("Resma de papel carta", "20"), Distrito="Apopa",
             expected=[Expected(code="nit-check-digit", heading="NIT", blocks=False)], rejected="094"),
    delivery("Taller Ficticio", "614-300299-108", goods('Cinta aislante 3/4"', "12"),
             expected=[Expected(code="nit-shape", heading="NIT")]),
    delivery("Cafetería Muestra", "0614-300299-109-5", goods("Café molido 400 g", "12"),
             goods("Azúcar blanca 2.5 kg", "6"), Distrito="Antiguo Cuscatlán",
             Condición="Crédito", Plazo="30", Días_de_crédito="30",
             expected=[Expected(code="deadline-unknown", heading="Plazo")]),
    delivery("Panadería El Ensayo", "099000047", goods("Harina de maíz 2 lb", "48"), Distrito="Santa Ana"),
)  # fmt: skip


def route_sales() -> list[Sale]:
    """Ten deliveries."""
    return [replace(sale, number=number) for number, sale in enumerate(ROUTE_CASES, 58)]
